import { isIP } from 'node:net';
import { z } from 'zod';
import { certificate } from '../../facts/certificate.ts';
import { fileStat } from '../../facts/file-stat.ts';
import { type Sh, sh } from '../../hosts/sh.ts';
import { blocked, change, defineAction, noChange } from '../action.ts';
import { pathWithSize } from '../file-preview.ts';
import { absolutePath, hostAddress, octalMode, userName } from '../params.ts';
import { undoPreview } from '../undo-preview.ts';

type MakeUndo = { paths: string[] };

export default defineAction({
  summary: 'Make a key and a certificate that it signs itself, on the host.',
  description:
    'With openssl: a key on the curve P-256 that never leaves the host. For a server whose clients are given the certificate, or only want their connection encrypted. Files that are there are never written over: where both are there and belong to each other there is nothing to do. ' +
    'A certificate from an authority is put there with file.put instead.',
  undone: 'Key and certificate are removed.',
  tools: ['openssl'],
  params: z.strictObject({
    certificate: absolutePath().describe('Where the certificate goes.'),
    key: absolutePath().describe('Where its key goes.'),
    names: z
      .array(hostAddress())
      .min(1)
      .describe('Host names and IP addresses under which clients reach it; the first is its subject.'),
    days: z.int().min(1).max(36_500).default(825).describe('How long it is good.'),
    owner: userName().default('root').describe('Owner of both.'),
    group: userName().default('root').describe('Group of both.'),
    mode: octalMode().default('0600').describe('Mode of the key; everybody may read the certificate.'),
  }),
  outputs: { certificate: 'Path of the certificate.', key: 'Path of the key.' },
  facts: ({ host }, params) => ({
    certificate: certificate(params.certificate, params.key).on(host.name),
    files: [params.certificate, params.key].map((path) => fileStat(path).on(host.name)),
    folders: [params.certificate, params.key].map((path) => fileStat(folderOf(path)).on(host.name)),
  }),
  touches: (params, role) => ({
    changes: [certificate.key(params.certificate, params.key), fileStat.key(params.certificate), fileStat.key(params.key)].map(
      (key) => [role, key] as const,
    ),
    effects: [{ does: 'make-file', role, path: params.key, how: 'given', mode: params.mode }],
  }),
  plan(params, facts, { host, earlier }) {
    const { owner, group, names } = params;
    const outputs = { certificate: params.certificate, key: params.key };
    if (params.certificate === params.key) return blocked('key and certificate cannot be one file', 'Give two paths.');
    const [hasCertificate, hasKey] = facts.files.map((fact) => !fact.absent);
    const found = facts.certificate.value;
    if (hasCertificate && hasKey && found?.fits) return noChange(`there already, for ${found.names.join(', ')}`, { outputs });
    // What an attempt that died has left is the step's own.
    if ((hasCertificate || hasKey) && !earlier)
      return blocked(
        `${hasCertificate ? params.certificate : params.key} is there on ${host.name} ${hasCertificate && hasKey ? 'and the key is not its own' : 'without the other'}`,
        'Nothing is written over: move it away, or name other paths.',
      );
    const missing = facts.folders.findIndex(({ value }) => value?.type !== 'folder' && value?.type !== 'link');
    if (missing >= 0) {
      const folder = folderOf([params.certificate, params.key][missing] ?? '');
      return blocked(
        `the folder ${folder} is not there on ${host.name}`,
        `On ${host.name}:  mkdir -p ${folder}   or make it in an earlier step.`,
      );
    }
    return change({
      summary: `make a certificate for ${names.join(', ')}, good for ${params.days} days`,
      predicts: [
        facts.certificate.becomes({ fingerprint: null, names, endsAtS: null, fits: true }),
        ...facts.files.map((fact, index) =>
          fact.becomes({ type: 'file', mode: index === 0 ? '0644' : params.mode, owner, group, sizeBytes: null }),
        ),
      ],
      outputs,
      undo: { paths: [params.certificate, params.key] } as MakeUndo,
      undoSummary: 'remove both',
    });
  },
  async apply({ on, params }) {
    await on.change('make', makeScript(params));
  },
  async rollback({ on, undo }) {
    // Neither was there before, so whatever is there now is of this step.
    await on.change('remove', sh`for f in ${undo.paths}; do rm -f -- "$f" "$f.ferry-part"; done`);
  },
  preview: undoPreview({
    facts: ({ paths }: MakeUndo, { host }) => paths.map((path) => fileStat(path).on(host)),
    look: ({ paths }, facts) => ({
      diff: paths.flatMap((path, index) =>
        facts[index]?.absent ? [] : [['-', pathWithSize(path, facts[index]?.value)] as const],
      ),
      predicts: facts.filter(({ absent }) => !absent).map((fact) => fact.becomesAbsent()),
    }),
  }),
  examples: [
    {
      title: 'For a PostgreSQL server, before postgres.settings turns ssl on',
      with: {
        ...{ certificate: '/etc/postgresql/server.crt', key: '/etc/postgresql/server.key' },
        ...{ names: ['newdb.example.com', '192.0.2.20'], owner: 'postgres', group: 'postgres' },
      },
    },
  ],
});

/** Makes both aside, then puts the key in its place first: a certificate that is there has its key. */
export function makeScript(params: {
  certificate: string;
  key: string;
  names: readonly string[];
  days: number;
  owner: string;
  group: string;
  mode: string;
}): Sh {
  const names = params.names.map((name) => `${isIP(name) ? 'IP' : 'DNS'}:${name}`).join(',');
  return sh`set -eu; umask 077; c=${params.certificate}; k=${params.key}; rm -f -- "$c.ferry-part" "$k.ferry-part"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -sha256 -days ${params.days} -subj ${`/CN=${params.names[0]}`} \
-addext ${`subjectAltName=${names}`} -keyout "$k.ferry-part" -out "$c.ferry-part" 2>&1
chown ${`${params.owner}:${params.group}`} -- "$c.ferry-part" "$k.ferry-part"; chmod ${params.mode} -- "$k.ferry-part"; chmod 0644 -- "$c.ferry-part"
sync "$k.ferry-part" "$c.ferry-part"; mv -fT -- "$k.ferry-part" "$k"; mv -fT -- "$c.ferry-part" "$c"; sync "$c" "$k"`;
}

function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/')) || '/';
}
