import { z } from 'zod';
import { type ConfigFile, configFiles, isPattern } from '../../facts/config-files.ts';
import type { ConfigSource } from '../../facts/config-text.ts';
import type { Fact, FactRef } from '../../facts/fact.ts';
import { type FileContent, fileContent, textOf } from '../../facts/file-content.ts';
import { isSecretKey, isSensitiveKey, maskValue, maskValues } from '../../facts/mask.ts';
import { Secret } from '../../hosts/secret.ts';
import { nearest, plural } from '../../lib/text.ts';
import { blocked, check, defineAction } from '../action.ts';
import type { OutputValue } from '../outputs.ts';
import { absolutePath } from '../params.ts';
import { type ConfValue, confFormat } from './conf-format.ts';
import { checkKeys, configValue, formatParams, keyName, plainValue } from './values.ts';

export default defineAction({
  summary: 'Read the effective values of conf files (KEY="value", ini or YAML).',
  description:
    'The files are read in the order given, a pattern with * or ? in the order of names; the last value of a key counts. In shell-like files ${NAME} takes the value NAME has so far, as in oVirt. ' +
    'Files that are not there are left out; where none is, only optional keys can be asked for. Values of keys with PASSWORD, SECRET, TOKEN or PASSPHRASE in their name, and those that hold a password, as a URL can, are secret outputs.',
  params: z
    .strictObject({
      files: z.array(absolutePath()).min(1).describe('Files or patterns, in the order in which the program reads them.'),
      keys: z
        .union([z.array(keyName()), z.record(z.string().regex(/^[A-Za-z_]\w*$/), keyName())])
        .default([])
        .describe('Keys to hand on: a list, or a map of output name to key.'),
      optional: z.array(keyName()).default([]).describe('Keys among them that may be missing; their output is then null.'),
      expect: z.record(keyName(), configValue()).default({}).describe('Values these keys must have for the check to hold.'),
      ...formatParams(),
    })
    .superRefine(
      checkKeys(({ keys, optional, expect }) => [
        ...namedKeys(keys).map(([, key]) => ['keys', key] as const),
        ...optional.map((key) => ['optional', key] as const),
        ...Object.keys(expect).map((key) => ['expect', key] as const),
      ]),
    ),
  outputs: { '*': 'The value of each key that was asked for.' },
  facts: ({ host }, { files }) => ({
    files: files.map(
      (path): FactRef<Source> =>
        (isPattern(path) ? configFiles(path).on(host.name) : fileContent(path).on(host.name)) as FactRef<Source>,
    ),
  }),
  touches: ({ files, keys }, role) => ({
    reads: files.map((path) => [role, isPattern(path) ? configFiles.key(path) : fileContent.key(path)] as const),
    secrets: namedKeys(keys).flatMap(([name, key]) => (isSecretKey(key) ? [name] : [])),
  }),
  plan(params, facts, { host }) {
    const { files, keys, optional, expect } = params;
    const format = confFormat(params);
    const sources = facts.files.flatMap((fact, index) => sourcesOf(files[index] ?? '', fact));
    const odd = sources.find(({ text }) => text === null);
    if (odd) return blocked(`${odd.path} on ${host.name} is no text of at most 64 KiB`, `Name ${format.title} files only.`);
    const isNeeded = Object.keys(expect).length > 0 || namedKeys(keys).some(([, key]) => !optional.includes(key));
    if (sources.length === 0 && isNeeded)
      return blocked(`none of the files is there on ${host.name}: ${files.join(', ')}`, 'Check the paths and the host.');
    const { values, problem } = format.read(sources as ConfigSource[]);
    if (problem)
      return blocked(
        `${problem.path} on ${host.name} cannot be read at line ${problem.line}: ${problem.why}`,
        `The programs that read this file stop there too: mend the line${params.format === 'shell' ? ', for example a $ in a password needs a backslash' : ''}.`,
      );

    const wanted = namedKeys(keys);
    for (const key of [...wanted.map(([, key]) => key), ...Object.keys(expect)]) {
      if (values.has(key) || optional.includes(key)) continue;
      const near = nearest(key, values.keys());
      return blocked(
        `${key} is in none of ${plural(sources.length, 'file')} on ${host.name}`,
        near ? `Did you mean ${near}?` : `Look at:  grep -n '' ${sources.map(({ path }) => path).join(' ')}   on ${host.name}.`,
      );
    }
    for (const [key, value] of Object.entries(expect)) {
      const [is, should] = [values.get(key), plainValue(value)].map((one) => (one === undefined ? undefined : String(one)));
      if (is === should) continue;
      const hidden = isSensitiveKey(key) || value instanceof Secret;
      const [found, wanted] = maskValues(is ?? '', should ?? '');
      return blocked(
        hidden ? `${key} on ${host.name} is not what was expected` : `${key} on ${host.name} is "${found}", expected "${wanted}"`,
        `It comes from ${sources.map(({ path }) => path).join(', ')}; the last one counts.`,
      );
    }
    const outputs = Object.fromEntries(wanted.map(([name, key]) => [name, outputOf(host.name, key, values.get(key))]));
    return check(
      `read ${wanted.map(([, key]) => key).join(', ') || Object.keys(expect).join(', ')} from ${plural(sources.length, 'file')}`,
      { outputs },
    );
  },
  examples: [
    {
      title: 'What the engine uses to reach its database',
      with: {
        files: ['/etc/ovirt-engine/engine.conf', '/etc/ovirt-engine/engine.conf.d/*.conf'],
        keys: { database: 'ENGINE_DB_DATABASE', user: 'ENGINE_DB_USER', password: 'ENGINE_DB_PASSWORD' },
      },
    },
    {
      title: 'Whether the engine is at the new server already',
      with: { files: ['/etc/ovirt-engine/engine.conf.d/*.conf'], expect: { ENGINE_DB_HOST: 'newdb.example.com' } },
    },
    {
      title: 'Where a data source of Grafana points',
      with: {
        files: ['/etc/grafana/provisioning/datasources/app.yaml'],
        format: 'yaml',
        keys: { url: 'datasources[0].url' },
      },
    },
  ],
});

/** Output names with the keys they stand for. */
function namedKeys(keys: readonly string[] | { readonly [name: string]: string }): (readonly [name: string, key: string])[] {
  return Array.isArray(keys) ? keys.map((key: string) => [key, key] as const) : Object.entries(keys);
}

type Source = FileContent | readonly ConfigFile[];

function sourcesOf(path: string, fact: Fact<Source>): { path: string; text: string | null }[] {
  const { value } = fact;
  if (value === undefined) return [];
  const files = Array.isArray(value) ? (value as readonly ConfigFile[]) : [{ ...(value as FileContent), path }];
  return files.map((file) => ({ path: file.path, text: textOf(file) }));
}

function outputOf(host: string, key: string, value: ConfValue | undefined): OutputValue {
  if (value === undefined) return null;
  const text = String(value);
  return isSecretKey(key) || maskValue(text) !== text ? new Secret(text, `config:${host}:${key}`) : value;
}
