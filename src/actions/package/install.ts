import { z } from 'zod';
import { FerryError } from '../../errors/ferry-error.ts';
import { fileStat, somethingThere } from '../../facts/file-stat.ts';
import { fileTree } from '../../facts/file-tree.ts';
import { hostTools } from '../../facts/host-tools.ts';
import { packageVersion } from '../../facts/package-version.ts';
import { unitState } from '../../facts/unit-state.ts';
import type { ActingHost } from '../../hosts/host.ts';
import { lastLines } from '../../lib/text.ts';
import { change, defineAction, type KeptOnPurpose, noChange } from '../action.ts';
import { ANY_CODE } from '../any-code.ts';
import { absolutePath, duration, toMs, unitName } from '../params.ts';
import { undoPreview } from '../undo-preview.ts';
import { packageName } from './params.ts';
import { installScript } from './scripts.ts';

type InstallUndo = { packages: string[]; units: string[]; files?: string[] };

export default defineAction({
  summary: 'Install packages that are not installed.',
  description:
    'With apt-get (or dnf), without questions; another package manager at work is waited for. Installed packages are not upgraded.',
  undone: 'Packages stay where they are, and the proof says so: other things may have come to need them.',
  params: z.strictObject({
    packages: z
      .array(
        z.union([
          packageName(),
          z.strictObject({
            debian: packageName().describe('Its name for apt-get.'),
            el: packageName().describe('Its name for dnf.'),
          }),
        ]),
      )
      .describe('Names of packages; one that has another name on Enterprise Linux as { debian: NAME, el: NAME }.'),
    units: z
      .array(unitName())
      .default([])
      .describe('Units the packages bring: later steps on them are then planned after this one.'),
    files: z
      .array(absolutePath())
      .default([])
      .describe(
        'Files and folders the packages bring: later steps are planned on their being there, and the proof of a rollback knows why they are.',
      ),
    refresh: z
      .enum(['auto', 'always', 'never'])
      .default('auto')
      .describe('When to fetch the package lists: auto is when a package is not found.'),
    lockTimeout: duration().default('5m').describe('How long to wait for another package manager.'),
    timeout: duration().default('30m').describe('How long it may take.'),
  }),
  outputs: { installed: 'Packages that were not installed before.' },
  facts: ({ host }, { packages, units, files }) => ({
    packages: packages.map((one) => namesOf(one).map((name) => packageVersion(name).on(host.name))),
    units: units.map((name) => unitState(name).on(host.name)),
    files: files.map((path) => fileStat(path).on(host.name)),
    trees: files.map((path) => fileTree(path).on(host.name)),
    tools: hostTools([]).on(host.name),
  }),
  touches: ({ packages, units, files }, role) => ({
    changes: [
      ...packages.flatMap(namesOf).map((name) => packageVersion.key(name)),
      ...units.map((unit) => unitState.key(unit)),
      ...files.flatMap((path) => [fileStat.key(path), fileTree.key(path)]),
    ].map((key) => [role, key] as const),
  }),
  plan(params, facts, { earlier }) {
    const isEl = facts.tools.value?.family === 'el';
    const packages = params.packages.map((one) => (typeof one === 'string' ? one : isEl ? one.el : one.debian));
    const versions = facts.packages.map((names) => names[isEl ? names.length - 1 : 0]);
    const missing = packages.filter((_, index) => versions[index]?.absent);
    const outputs = { installed: packages.filter((name) => missing.includes(name) || earlier?.undo.packages.includes(name)) };
    if (missing.length === 0) return noChange(packages.length === 0 ? 'no package to install' : 'installed already', { outputs });
    const newUnits = facts.units.filter(({ absent }) => absent);
    const files = params.files.filter((_, index) => facts.files[index]?.absent);
    const undo: InstallUndo = { packages: missing, units: newUnits.map(({ key }) => key.slice('unitState('.length, -1)), files };
    return change({
      summary: `install ${missing.join(', ')}`,
      predicts: [
        ...versions.flatMap((fact) => (fact?.absent ? [fact.becomes({ version: null })] : [])),
        ...facts.files.map((fact) => (fact.absent ? fact.becomes(somethingThere) : fact.becomesUnknown())),
        ...[...facts.units, ...facts.trees].map((fact) => fact.becomesUnknown()),
      ],
      outputs,
      undo,
      undoSummary: 'nothing: packages stay',
      data: { packages: missing },
      // Packages run scripts of their own: they make users, clusters, units and files.
      opaque: true,
    });
  },
  async apply({ on, params, change: { data } }) {
    const script = installScript(data.packages, params.refresh, Math.ceil(toMs(params.lockTimeout) / 1000));
    const result = await on.detached('install', script, {
      okCodes: ANY_CODE,
      timeoutMs: toMs(params.timeout),
      note: 'installing',
    });
    if (result.code === 0) return;
    const why = lastLines(result.stdout, 8) || `exit code ${result.code}`;
    throw new FerryError('PACKAGES_FAILED', { packages: data.packages.join(' '), host: on.name, why });
  },
  rollback: tellWhatStays,
  preview: undoPreview({
    facts: ({ packages }: InstallUndo, { host }) => packages.map((name) => packageVersion(name).on(host)),
    look: ({ packages, units, files }, facts, { host }) => ({
      diff: [],
      kept: staying(
        host,
        packages.filter((_, index) => facts[index]?.value),
        { units, files },
      ),
    }),
  }),
  examples: [
    { title: 'The extension modules of PostgreSQL', with: { packages: ['postgresql-contrib'] } },
    { title: 'Its server, on either system', with: { packages: [{ debian: 'postgresql', el: 'postgresql-server' }] } },
  ],
});

/** The names a package goes by: one, or that of Debian and then that of Enterprise Linux. */
function namesOf(one: string | { debian: string; el: string }): string[] {
  return typeof one === 'string' ? [one] : [one.debian, one.el];
}

/** Changes nothing: says which of the packages, their units and files are there now and were not before. */
async function tellWhatStays({ on, undo }: { on: ActingHost; undo: InstallUndo }): Promise<KeptOnPurpose[]> {
  const there: string[] = [];
  for (const name of undo.packages) {
    const found = packageVersion.definition.parse(await on.run(packageVersion.definition.script(name)), name);
    if (found.state === 'value') there.push(name);
  }
  return staying(on.name, there, undo);
}

function staying(
  host: string,
  packages: readonly string[],
  brought: { units: string[]; files?: string[] | undefined },
): KeptOnPurpose[] {
  const stays = packages.map((name) => ({ host, key: packageVersion.key(name), what: `package ${name} stays installed` }));
  if (packages.length === 0) return stays;
  return [
    ...stays,
    ...brought.units.map((unit) => ({ host, key: unitState.key(unit), what: `unit ${unit} came with a package` })),
    ...(brought.files ?? []).flatMap((path) =>
      [fileStat.key(path), fileTree.key(path)].map((key) => ({ host, key, what: `${path} came with a package` })),
    ),
  ];
}
