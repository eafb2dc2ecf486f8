import { z } from 'zod';
import { FerryError } from '../../errors/ferry-error.ts';
import { contentOf, textOf } from '../../facts/file-content.ts';
import { Secret } from '../../hosts/secret.ts';
import { plural } from '../../lib/text.ts';
import { blocked, change, defineAction, noChange } from '../action.ts';
import { fileBack, fileBackFacts } from '../file-preview.ts';
import { absolutePath, octalMode, userName } from '../params.ts';
import { pathBecomes, pathFacts, pathKeys } from '../path-facts.ts';
import { type FileUndo, putFileBack, replaceFile, restoreFile } from '../replace-file.ts';
import { undoPreview } from '../undo-preview.ts';
import { confFormat, type FORMAT_NAMES } from './conf-format.ts';
import { configDiff, keyLine } from './key-diff.ts';
import { checkKeys, configValue, formatParams, keyName, plainValue } from './values.ts';

/** Which keys got a secret is known to the step alone. */
type SetUndo = FileUndo & { hides: string[]; format?: (typeof FORMAT_NAMES)[number] };

export default defineAction({
  summary: 'Set values in a conf file (KEY="value", ini or YAML) and leave everything else in it as it is.',
  description:
    'Mode, owner, comments and all other lines stay. In a shell-like file values are quoted, with backslash, quote, dollar and backtick escaped, so that every reader gets them back; ' +
    'in ini they are written as given; in YAML in the quotes of the old value, or in those it needs. Of several lines with one key the last is changed, because the last one counts; a new key goes to the end ' +
    'of the file, its section or its map. The file is replaced in one go.',
  undone: 'The file has its former bytes back; a file made here is removed.',
  params: z
    .strictObject({
      path: absolutePath().describe('The file.'),
      set: z.record(keyName(), configValue()).describe('Keys and their values; a value may be a secret.'),
      ...formatParams(),
      create: z.boolean().default(false).describe('Make the file when it is not there.'),
      missing: z
        .enum(['fail', 'skip'])
        .default('fail')
        .describe('What to do about a file that is not there and is not to be made.'),
      mode: octalMode().default('0600').describe('Mode of a file that is made.'),
      owner: userName().default('root').describe('Owner of a file that is made.'),
      group: userName().default('root').describe('Group of a file that is made.'),
    })
    .superRefine(checkKeys(({ set }) => Object.keys(set).map((key) => ['set', key]))),
  outputs: { path: 'The file.', changed: 'Keys whose value is changed.' },
  facts: ({ host }, { path }) => pathFacts(host.name, path),
  touches: ({ path, set }, role) => ({
    changes: pathKeys(path, role),
    effects: [{ does: 'configure', role, path, keys: Object.keys(set) }],
  }),
  plan(params, facts, { host }) {
    const { path } = params;
    const format = confFormat(params);
    const wanted = Object.entries(params.set).map(([key, value]) => [key, plainValue(value)] as const);
    for (const [key, value] of wanted) {
      const wrong = format.wrongValue(value);
      if (wrong !== null) return blocked(`the value of ${key} cannot be written: ${wrong}`, 'Give another value.');
    }
    const found = facts.content.value;
    if (!found && facts.content.read && !params.create && params.missing === 'skip')
      return noChange(`${path} is not there`, { outputs: { path, changed: [] } });
    if (!found && !params.create)
      return blocked(`${path} is not there on ${host.name}`, 'Check the path, or set create: true to make the file.');
    const text = found ? textOf(found) : '';
    if (text === null)
      return blocked(
        `${path} on ${host.name} is no text of at most 64 KiB`,
        `config.set is for ${format.title} files; use file.put.`,
      );

    const set = format.set(text, wanted);
    if ('refused' in set)
      return blocked(`${path} on ${host.name} cannot be set: ${set.refused}`, `Look at:  grep -n '' ${path}   on ${host.name}.`);
    const { text: next, edits } = set;
    const outputs = { path, changed: edits.map(({ key }) => key) };
    if (found && edits.length === 0) return noChange(`${path} has ${plural(wanted.length, 'value')} as wanted`, { outputs });
    const has = found
      ? { mode: found.mode, owner: found.owner, group: found.group }
      : { mode: params.mode, owner: params.owner, group: params.group };
    const hides = Object.keys(params.set).filter((key) => params.set[key] instanceof Secret);
    const undo: SetUndo = { path, was: found ? has : null, hides, format: params.format };
    return change({
      summary: `${found ? 'set' : 'make'} ${path}: ${edits.map(({ key }) => key).join(', ')}`,
      diff: edits.flatMap((edit) => keyLine(edit, hides.includes(edit.key), format.sign)),
      predicts: pathBecomes(facts, path, contentOf(next, has)),
      outputs,
      undo,
      undoSummary: found ? 'the old bytes' : 'remove it',
      data: has,
      memory: next,
      keep: found ? [{ name: 'before', host: host.name, path }] : [],
    });
  },
  async apply({ on, params, change: { data, memory } }) {
    if (typeof memory !== 'string') throw new FerryError('INTERNAL', { what: 'config.set was applied without the new bytes' });
    await replaceFile(on, 'replace', params.path, memory, data);
  },
  rollback: restoreFile,
  putBack: putFileBack,
  preview: undoPreview({
    facts: ({ path }: SetUndo, { host, kept }) => fileBackFacts(host, path, kept('before')),
    look: (undo, facts) =>
      fileBack(undo, facts, (now, before) => configDiff(now, before, undo.hides, confFormat({ format: undo.format ?? 'shell' }))),
  }),
  examples: [
    {
      title: 'Point the engine at another database server',
      with: {
        path: '/etc/ovirt-engine/engine.conf.d/10-setup-database.conf',
        set: { ENGINE_DB_HOST: 'newdb.example.com', ENGINE_DB_PORT: 5432, ENGINE_DB_PASSWORD: '${{ inputs.password }}' },
      },
    },
    {
      title: 'Point a data source of Grafana at it',
      with: {
        path: '/etc/grafana/provisioning/datasources/app.yaml',
        format: 'yaml',
        set: { 'datasources[0].url': 'newdb.example.com:5432' },
      },
    },
    {
      title: 'What engine-setup believes of this machine',
      with: {
        path: '/etc/ovirt-engine-setup.conf.d/20-setup-ovirt-post.conf',
        format: 'ini',
        section: 'environment:default',
        set: { 'OVESETUP_DWH_CORE/enable': 'bool:False' },
      },
    },
  ],
});
