import { z } from 'zod';
import { FerryError, isFerryError } from '../../errors/ferry-error.ts';
import { diskFree } from '../../facts/disk-free.ts';
import { fileContent } from '../../facts/file-content.ts';
import { fileStat } from '../../facts/file-stat.ts';
import { fileTime } from '../../facts/file-time.ts';
import { sshReach } from '../../facts/ssh-reach.ts';
import type { ActingHost } from '../../hosts/host.ts';
import { sh } from '../../hosts/sh.ts';
import { formatBytes } from '../../lib/bytes.ts';
import { lastLines } from '../../lib/text.ts';
import { type ActContext, blocked, change, defineAction, noChange, type Site } from '../action.ts';
import { ANY_CODE } from '../any-code.ts';
import { madeFilePreview } from '../file-preview.ts';
import { foldersToMake, parentFacts } from '../made-folders.ts';
import { unknown } from '../outputs.ts';
import { absolutePath, octalMode, role, userName } from '../params.ts';
import {
  authorizeScript,
  copyScript,
  forgetKeysScript,
  makeKeyScript,
  parsePublicKey,
  parseSent,
  partOf,
  placeScript,
  placesOf,
  progressScript,
  removeScript,
  revokeScript,
  sendScript,
  type Whole,
} from './transfer-scripts.ts';

type TransferUndo = { path: string; source: string; folders: string[] };
type TransferData = { source: string; totalBytes: number | null; addresses: string[]; folders: string[] };

export default defineAction({
  summary: 'Send a file from one host straight to another.',
  description:
    'The bytes go over ssh from host to host, not through Ferry, hashed on both sides while they stream. The key for it is made for this one transfer: on the destination it may do nothing but write this file, ' +
    'from the source address alone, for a day, and it goes when the transfer ends. The destination host key is pinned. The step runs on the destination. ' +
    'A source that cannot reach the ssh port of the destination is told so in the plan; bytes are not relayed.',
  undone: 'The file is removed from the destination.',
  params: z.strictObject({
    from: z
      .strictObject({
        host: role().describe('The role of the machine that has the file.'),
        path: absolutePath().describe('The file there.'),
      })
      .describe('The role that has the file, and its path there.'),
    path: absolutePath().describe('Where it goes on the host of the step; nothing else may be there.'),
    mode: octalMode().default('0600').describe('Its mode there.'),
    owner: userName().default('root').describe('Its owner there.'),
    group: userName().default('root').describe('Its group there.'),
    sha256: z
      .string()
      .regex(/^[0-9a-f]{64}$/, 'write 64 lower-case hex digits')
      .optional()
      .describe('What the hash must be.'),
  }),
  outputs: {
    path: 'The file on the destination.',
    folders: 'Folders that were made for it, for `emptyFolders` of file.remove.',
    sha256: 'Its hash; null when it was there already.',
    bytes: 'Its size.',
  },
  roles: ({ from }) => [from.host],
  facts: (site, { from, path }) => {
    const [source, { name, address, port }] = [site.hostOf(from.host), site.host];
    return {
      source: fileStat(from.path).on(source.name),
      there: fileStat(path).on(name),
      times: [fileTime(from.path).on(source.name), fileTime(path).on(name)],
      free: diskFree(path).on(name),
      folders: parentFacts(name, path),
      reach: source.name === name ? [] : [sshReach(address, port).on(source.name)],
    };
  },
  touches: ({ from, path, mode }, own) => ({
    reads: [[from.host, fileStat.key(from.path)]],
    changes: [[own, fileStat.key(path)]],
    effects: [
      { does: 'need-file', role: from.host, path: from.path },
      { does: 'make-file', role: own, path, how: 'copy', mode },
    ],
  }),
  plan(params, facts, site: Site & { readonly earlier: { readonly undo: TransferUndo } | null }) {
    const { from, path, mode, owner, group } = params;
    const [source, target] = [site.hostOf(from.host), site.host];
    const file = facts.source.value;
    if (!file) return blocked(`${from.path} is not there on ${source.name}`, 'Check the path, or make it in an earlier step.');
    if (file.type !== 'file' && file.type !== null)
      return blocked(`${from.path} on ${source.name} is no regular file`, 'Pack a folder into one file first.');
    const [sourceTime, time] = facts.times;
    if (!facts.there.absent) {
      const same =
        time?.value &&
        sourceTime?.value?.sizeBytes === time.value.sizeBytes &&
        sourceTime.value.changedAtS === time.value.changedAtS;
      if (same && facts.there.read)
        return noChange(`${path} is there, of the size and time of ${from.path}`, {
          outputs: {
            path,
            folders: site.earlier?.undo.folders ?? [],
            sha256: params.sha256 ?? null,
            bytes: time.value.sizeBytes,
          },
        });
      return blocked(
        `something else is at ${path} on ${target.name}`,
        'Remove it with file.remove in an earlier step, or choose another path.',
      );
    }
    const free = facts.free.value?.bytes;
    if (file.sizeBytes !== null && free !== undefined && free < file.sizeBytes + 1_048_576)
      return blocked(
        `${path} on ${target.name} needs ${formatBytes(file.sizeBytes)} and 1 MB to spare, and there are ${formatBytes(free)} free`,
        'Make room there, or choose a path on another file system.',
      );
    const reach = facts.reach[0]?.value;
    if (reach && !reach.client)
      return blocked(
        `${source.name} has no ssh client`,
        `On ${source.name}, install openssh-client (Debian) or openssh-clients (Enterprise Linux).`,
      );
    if (reach && !reach.answers)
      return blocked(
        `from ${source.name} no ssh server answers at ${target.address} port ${target.port}`,
        `Open the port between the two, or set address of ${target.name} in the inventory to the name by which ${source.name} reaches it.`,
      );
    const { folders, predicts: made } = foldersToMake(facts.folders, path);
    const undo: TransferUndo = { path, source: source.name, folders };
    const data: TransferData = {
      source: source.name,
      totalBytes: file.sizeBytes,
      addresses: [...(reach?.addresses ?? [])],
      folders,
    };
    const size = file.sizeBytes === null ? '' : `, ${formatBytes(file.sizeBytes)}`;
    return change({
      summary: `${path} from ${source.name}${size}, ${mode}, hashed`,
      predicts: [
        ...made,
        facts.there.becomes({
          ...{ type: 'file', mode, owner, group, sizeBytes: file.sizeBytes },
          ...(file.dump ? { dump: file.dump } : {}),
        }),
        { host: target.name, key: fileContent.key(path), kind: fileContent.definition, to: undefined },
      ],
      outputs: {
        path,
        folders: site.earlier?.undo.folders ?? folders,
        sha256: params.sha256 ?? unknown('sha256 of the file'),
        bytes: file.sizeBytes ?? unknown('size of the file'),
      },
      undo,
      undoSummary: 'remove it',
      data,
      ...(file.sizeBytes === null ? {} : { bytes: file.sizeBytes }),
    });
  },
  preflight({ from, path }, ask, { host, hostOf }) {
    const facts = ask({
      source: fileStat(from.path).on(hostOf(from.host).name),
      there: fileStat(path).on(host.name),
      free: diskFree(path).on(host.name),
    });
    const file = facts.source.value;
    const size = file?.sizeBytes ?? undefined;
    const expected = size === undefined ? file?.dump : { least: size, likely: size };
    if (!expected || !facts.there.absent) return {};
    const { least, likely } = expected;
    return { room: [{ host: host.name, path, free: facts.free.value, least, likely, what: `copy ${path}` }] };
  },
  async apply({ on, onRole, params, change: { data, outputs }, ctx }) {
    const { from, path, mode, owner, group } = params;
    const source = onRole(from.host);
    const whole =
      source.name === on.name ? await copy(on, from.path, path, data) : await send(source, on, from.path, path, data, ctx);
    if (params.sha256 !== undefined && params.sha256 !== whole.sha256)
      throw failed(source, from.path, on, path, `its sha256 is ${whole.sha256}, expected ${params.sha256}`);
    await on.change('place', placeScript(path, { mode, owner, group }, whole.changedAtS));
    return { ...outputs, sha256: whole.sha256, bytes: whole.bytes };
  },
  rollback: takeBack,
  preview: madeFilePreview<TransferUndo>(),
  examples: [
    {
      title: 'A dump from the old database server to the new one',
      with: { from: { host: 'old_db', path: '/var/tmp/engine.dump' }, path: '/var/tmp/engine.dump' },
    },
  ],
});

async function send(
  source: ActingHost,
  target: ActingHost,
  from: string,
  path: string,
  data: TransferData,
  ctx: ActContext,
): Promise<Whole> {
  const places = placesOf(ctx);
  const hostKey = (await target.hostKey()) ?? (await ownHostKey(target));
  const cleanUp = async () => {
    await target.change('revoke', revokeScript(places, target.user));
    await source.change('forget-key', forgetKeysScript(places));
  };
  try {
    const { stdout } = await source.change('make-key', makeKeyScript(places, hostKey));
    const publicKey = parsePublicKey(stdout);
    if (!publicKey) throw failed(source, from, target, path, `ssh-keygen on ${source.name} printed no key`);
    await target.change('authorize', authorizeScript(places, target.user, publicKey, data.addresses, path, data.folders));
    const result = await source.detached('send', sendScript(places, from, target, hostKey.type), {
      okCodes: ANY_CODE,
      note: 'sending',
      progress: progressScript(places),
      ...(data.totalBytes === null ? {} : { totalBytes: data.totalBytes }),
    });
    await cleanUp();
    return wholeOf(result.stdout, source, from, target, path);
  } catch (thrown) {
    // Only a sender that is known to be dead, or was never there, has no more use for its key.
    if (isFerryError(thrown) && ['COMMAND_LOST', 'COMMAND_FAILED', 'LOG_TOO_LONG', 'TRANSFER_FAILED'].includes(thrown.code))
      // What cannot be taken away now goes with the next attempt, the rollback, or when the run gives the host back.
      await cleanUp().catch(() => undefined);
    throw thrown;
  }
}

async function copy(on: ActingHost, from: string, path: string, { totalBytes, folders }: TransferData): Promise<Whole> {
  const result = await on.detached('send', copyScript(from, path, folders), {
    okCodes: ANY_CODE,
    note: 'copying',
    progress: sh`stat -c %s -- ${partOf(path)}`,
    ...(totalBytes === null ? {} : { totalBytes }),
  });
  return wholeOf(result.stdout, on, from, on, path);
}

/** @throws TRANSFER_FAILED */
function wholeOf(log: string, source: ActingHost, from: string, target: ActingHost, path: string): Whole {
  const whole = parseSent(log);
  if (whole) return whole;
  throw failed(source, from, target, path, lastLines(log, 5) || 'it ended without a word');
}

function failed(source: ActingHost, from: string, target: ActingHost, path: string, why: string) {
  const args = { from: `${source.name}:${from}`, to: `${target.name}:${path}`, why };
  return new FerryError('TRANSFER_FAILED', args, {
    left: `Nothing is at ${path} on ${target.name}; the file on ${source.name} is as it was.`,
  });
}

/** The host key as the machine itself has it, for one that Ferry does not reach by ssh. */
async function ownHostKey(on: ActingHost): Promise<{ type: string; blob: string }> {
  const { stdout } = await on.run(
    sh`cat /etc/ssh/ssh_host_ed25519_key.pub || cat /etc/ssh/ssh_host_ecdsa_key.pub || cat /etc/ssh/ssh_host_rsa_key.pub`,
  );
  const [type, blob] = stdout.split(' ');
  if (!type || !blob)
    throw new FerryError('CHECK_FAILED', { what: 'an ssh server', host: on.name, why: 'it has no host key in /etc/ssh' });
  return { type, blob };
}

/** Brings both hosts to where nothing of the transfer is left, whatever it came to. */
async function takeBack({
  on,
  onHost,
  undo,
  ctx,
}: {
  on: ActingHost;
  onHost(name: string): ActingHost;
  undo: TransferUndo;
  ctx: Pick<ActContext, 'run' | 'step' | 'attempt'>;
}): Promise<void> {
  const places = placesOf(ctx);
  if (undo.source !== on.name) {
    await on.change('revoke', revokeScript(places, on.user));
    await onHost(undo.source).change('forget-key', forgetKeysScript(places));
  }
  await on.change('remove', removeScript(undo.path, undo.folders));
}
