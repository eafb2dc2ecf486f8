import { z } from 'zod';
import { FerryError } from '../../errors/ferry-error.ts';
import { fileContent, textOf } from '../../facts/file-content.ts';
import { type Firewall, firewall, type SavedRules } from '../../facts/firewall.ts';
import { resolvedName } from '../../facts/resolved-name.ts';
import { joinSh, type Sh, sh } from '../../hosts/sh.ts';
import { plural } from '../../lib/text.ts';
import { blocked, change, type DiffLine, defineAction, noChange } from '../action.ts';
import { hostAddress, portNumber } from '../params.ts';
import { replaceFile } from '../replace-file.ts';
import { undoPreview } from '../undo-preview.ts';
import { isLoopback, plainSource } from './addresses.ts';
import {
  type Addition,
  addScript,
  linesToSave,
  removeScript,
  rulesMissing,
  savedWith,
  takeLinesOut,
  type WayIn,
  withoutLines,
} from './rules.ts';

type OpenUndo = {
  zone: string | null;
  asked: string;
  added: Addition[];
  files: { keep: string; path: string; lines: string[] }[];
};

const source = z.union([
  hostAddress(),
  z.string().regex(/^[0-9A-Fa-f.:]+\/\d{1,3}$/, 'write an address, a host name, or a network such as 192.0.2.0/24'),
]);

export default defineAction({
  summary: 'Let clients in through the firewall of a host, whichever is in force.',
  description:
    'firewalld (now and at boot), ufw, nftables (chains of the input hook that drop) or iptables; where none of them keeps anybody out there is nothing to do. ' +
    'Rules come before those that are there (with ufw since its release 0.36). With nftables and iptables they go into the file that is loaded at boot too, where there is one; otherwise the plan says that they last until then.',
  undone:
    'The rules that were added are taken out again, in a file of saved rules too; what others have written into it since stays.',
  params: z.strictObject({
    ports: z.array(portNumber()).min(1).describe('Ports to open.'),
    protocol: z.enum(['tcp', 'udp']).default('tcp').describe('Of all of them.'),
    from: z
      .array(source)
      .default([])
      .describe(
        'Clients: addresses, networks such as 192.0.2.0/24 or 2001:db8::/64, or names as the host resolves them. An empty list is anybody.',
      ),
    zone: z
      .string()
      .regex(/^[A-Za-z0-9_-]*$/, 'write the name of a zone')
      .default('')
      .describe('Zone of firewalld; its default zone unless given.'),
  }),
  outputs: { firewall: 'firewalld, ufw, nftables, iptables or none.', added: 'Number of rules that were added.' },
  facts: ({ host }, { from, zone }) => ({
    firewall: firewall(zone).on(host.name),
    sources: from.filter((one) => plainSource(one) === null).map((name) => resolvedName(name).on(host.name)),
  }),
  touches: ({ zone }, role) => ({ changes: [[role, firewall.key(zone)]] }),
  plan({ ports, protocol, from, zone }, facts, { host }) {
    const found = facts.firewall.value;
    if (!found)
      return blocked(
        `the firewall of ${host.name} cannot be read`,
        `Look at it on ${host.name}:  firewall-cmd --state; nft list ruleset`,
      );
    const named = from.filter((one) => plainSource(one) === null);
    const lost = named.find((_, index) => !facts.sources[index]?.value);
    if (lost !== undefined)
      return blocked(`"${lost}" means no IP address on ${host.name}`, `Try:  getent ahosts ${lost}   on ${host.name}.`);
    const sources = from.flatMap((one): string[] => {
      const plain = plainSource(one);
      return plain === null
        ? [...(facts.sources[named.indexOf(one)]?.value ?? [])].filter((address) => !isLoopback(address))
        : [plain];
    });
    const clients = from.length === 0 ? [null] : [...new Set(sources.map((one) => plainSource(one)))];
    const ways = ports.flatMap((port) => clients.map((client): WayIn => ({ port, protocol, from: client })));
    if (found.kind === 'none') return noChange('no firewall keeps anybody out', { outputs: { firewall: 'none', added: 0 } });
    const added = rulesMissing(found, ways);
    const outputs = { firewall: found.kind, added: added.length };
    if (added.length === 0) return noChange(`${found.kind} lets them in`, { outputs });
    const saves = found.saved.flatMap((file) => {
      const lines = linesToSave(file, added);
      const text = savedWith(file, lines);
      return text === null ? [] : [{ file, lines, text }];
    });
    const fades = saves.length === 0 && (found.kind === 'nftables' || found.kind === 'iptables');
    const undo: OpenUndo = {
      zone: found.zone,
      asked: zone,
      added,
      files: saves.map(({ file, lines }, index) => ({ keep: `saved-${index}`, path: file.path, lines })),
    };
    return change({
      summary: `${plural(added.length, 'rule')} in ${found.kind}${found.zone === null ? '' : `, zone ${found.zone}`}${fades ? ', until the next boot: nothing loads rules then' : ''}`,
      diff: [
        ...added.map(({ list, rule }): DiffLine => ['+', `${list}: ${rule}`]),
        ...saves.map(({ file }): DiffLine => [' ', `and in ${file.path}`]),
      ],
      predicts: [facts.firewall.becomes(after(found, added, saves))],
      outputs,
      undo,
      undoSummary: 'take them out again',
      data: { zone: found.zone, added, files: saves.map(({ file, text }) => ({ path: file.path, text, has: hasOf(file) })) },
      keep: undo.files.map(({ keep, path }) => ({ name: keep, host: host.name, path })),
    });
  },
  async apply({ on, change: { data } }) {
    // What would not be loaded at boot is not put there.
    for (const [index, { path, text, has }] of data.files.entries()) {
      await checkSaved(on, path, text);
      await replaceFile(on, `save-${index}`, path, text, has);
    }
    await on.change('open', addScript(data.zone, data.added));
  },
  async rollback({ on, undo, ctx }) {
    await on.change(
      'close',
      closeScript(undo, (name) => ctx.kept(on.name, name)),
    );
  },
  putBack: closeScript,
  preview: undoPreview({
    facts: ({ asked, files }: OpenUndo, { host, kept }) => ({
      now: firewall(asked).on(host),
      files: files.map(({ path, keep }) => ({ now: fileContent(path).on(host), kept: fileContent(kept(keep)).on(host) })),
    }),
    look({ added, files }, facts) {
      const now = facts.now.value;
      const isThere = ({ list, rule }: Addition) => now?.lists.some(({ name, rules }) => name === list && rules.includes(rule));
      const saved = files.flatMap(({ path, lines }, index): DiffLine[] => {
        const [text, kept] = [facts.files[index]?.now.value, facts.files[index]?.kept.value].map((file) => file && textOf(file));
        const there = lines.filter((line) => text?.split('\n').includes(line));
        const isChanged = there.length > 0 && kept && withoutLines(text ?? '', lines) !== withoutLines(kept, lines);
        return [
          ...there.map((line): DiffLine => ['-', `${path}: ${line}`]),
          ...(isChanged ? [[' ', `what else was changed in ${path} since stays`] as const] : []),
        ];
      });
      return {
        diff: [...added.filter(isThere).map(({ list, rule }) => ['-', `${list}: ${rule}`] as const), ...saved],
        ...(now ? { predicts: [facts.now.becomes(before(now, added, files))] } : {}),
      };
    },
  }),
  examples: [
    { title: 'PostgreSQL, for two clients', with: { ports: [5432], from: ['192.0.2.10', '2001:db8::10'] } },
    { title: 'A service for everybody, in a zone of firewalld', with: { ports: [443, 8443], zone: 'public' } },
  ],
});

const hasOf = ({ mode, owner, group }: SavedRules) => ({ mode, owner, group });

function after(found: Firewall, added: readonly Addition[], saves: readonly { file: SavedRules; text: string }[]): Firewall {
  return {
    ...found,
    lists: found.lists.map(({ name, rules }) => ({
      name,
      rules: [...rules, ...added.flatMap((one) => (one.list === name ? [one.rule] : []))],
    })),
    saved: found.saved.map((file) => ({ ...file, text: saves.find((save) => save.file === file)?.text ?? file.text })),
  };
}

/** What is left of a firewall when the additions are taken out. */
function before(now: Firewall, added: readonly Addition[], files: OpenUndo['files']): Firewall {
  const isAdded = (name: string, rule: string) => added.some((one) => one.list === name && one.rule === rule);
  return {
    ...now,
    lists: now.lists.map(({ name, rules }) => ({ name, rules: rules.filter((rule) => !isAdded(name, rule)) })),
    saved: now.saved.map((file) => {
      const mine = files.find(({ path }) => path === file.path);
      return mine ? { ...file, text: withoutLines(file.text, mine.lines) } : file;
    }),
  };
}

function closeScript({ zone, added, files }: OpenUndo, kept: (name: string) => string): Sh {
  const back = files.map(({ keep, path, lines }) => sh`( ${takeLinesOut(path, lines, kept(keep))} ) || exit 1`);
  return joinSh([...back, removeScript(zone, added)]);
}

/** @throws FIREWALL_FILE_WRONG */
async function checkSaved(
  on: { name: string; run(script: Sh, options: object): Promise<{ code: number; stderr: string }> },
  path: string,
  text: string,
) {
  if (!path.includes('nft')) return;
  const { code, stderr } = await on.run(sh`nft -c -f -`, { stdin: text });
  if (code !== 0)
    throw new FerryError(
      'FIREWALL_FILE_WRONG',
      { path, host: on.name, why: stderr.trim() },
      { left: `Nothing was changed on ${on.name}.` },
    );
}
