import { z } from 'zod';
import { FerryError } from '../../errors/ferry-error.ts';
import { fileStat } from '../../facts/file-stat.ts';
import { type InstalledPackage, packageRemoval } from '../../facts/package-removal.ts';
import { packageVersion } from '../../facts/package-version.ts';
import { unitState } from '../../facts/unit-state.ts';
import { lastLines } from '../../lib/text.ts';
import { blocked, change, defineAction, noChange } from '../action.ts';
import { ANY_CODE } from '../any-code.ts';
import { keepsOf } from '../kept-room.ts';
import { absolutePath, duration, toMs, unitName } from '../params.ts';
import { undoPreview } from '../undo-preview.ts';
import { packageName } from './params.ts';
import { archiveScript, fetchScript, removeScript, restoreScript, TAKES_MORE } from './remove-scripts.ts';

type RemoveUndo = {
  packages: { name: string; version: string; auto: boolean }[];
  units: { name: string; enabled: string }[];
  lockWaitS: number;
  /** Why they cannot come back, when they cannot. */
  lost: string | null;
};

export default defineAction({
  summary: 'Remove packages, and nothing that is not named.',
  description:
    'With apt-get or dnf, never with purge or autoremove. The plan asks the package manager what would go: a package that others need is a blocker, and so is one whose unit still runs. ' +
    'Before anything is removed the packages themselves are fetched from their repository and kept on the host, with their conf files; where no repository has exactly the installed version that is a blocker too.',
  undone:
    'The same versions are installed again from the kept packages, with their conf files; none of their units is started, and each starts at boot if it did before.',
  params: z.strictObject({
    packages: z.array(packageName()).describe('Names of packages. One that is not installed is passed over.'),
    units: z
      .array(unitName())
      .default([])
      .describe('Units of the packages that earlier steps of the run stop; any other unit of theirs must not run now.'),
    keep: z
      .array(absolutePath())
      .default([])
      .describe(
        'Files and folders to keep too: what the packages made there and may take along. Their own conf files are kept anyway.',
      ),
    requireUndo: z
      .boolean()
      .default(true)
      .describe('Refuse what could not come back. With false it is removed for good, after a question.'),
    lockTimeout: duration().default('5m').describe('How long to wait for another package manager.'),
    timeout: duration().default('30m').describe('How long it may take.'),
  }),
  outputs: { removed: 'Packages that were installed before.' },
  facts: ({ host }, { packages, units, keep }) => ({
    packages: packages.map((name) => packageVersion(name).on(host.name)),
    units: units.map((name) => unitState(name).on(host.name)),
    keep: keep.map((path) => fileStat(path).on(host.name)),
    removal: packageRemoval(packages).on(host.name),
  }),
  touches: ({ packages, units, keep, requireUndo }, role) => ({
    effects: [{ does: 'remove-package', role, packages, forGood: !requireUndo }],
    changes: [...packages.map(packageVersion.key), ...units.map(unitState.key), ...keep.map(fileStat.key)].map(
      (key) => [role, key] as const,
    ),
  }),
  plan(params, facts, { host, earlier }) {
    const there = params.packages.filter((_, index) => !facts.packages[index]?.absent);
    const outputs = {
      removed: params.packages.filter((name) => there.includes(name) || earlier?.undo.packages.some((one) => one.name === name)),
    };
    if (there.length === 0) return noChange(params.packages.length === 0 ? 'no package to remove' : 'not installed', { outputs });
    const removal = facts.removal.value;
    const found = removal?.packages ?? [];
    // Packages an earlier step of the plan installs are not there to be asked about yet; the run asks again.
    const isLater = facts.packages.some((fact) => !fact.absent && !fact.read);
    if (!removal && !isLater)
      return blocked(
        `what removing ${there.join(', ')} does cannot be told on ${host.name}`,
        'Look at:  dpkg --audit   or:  rpm -Va',
      );
    const stop = removal ? inTheWay(removal, host.name) : undefined;
    if (stop) return stop;
    const running = found
      .flatMap(({ units }) => units)
      .filter(({ name, active }) => {
        const planned = facts.units[params.units.indexOf(name)];
        return planned ? planned.value?.active || planned.value?.moving : active;
      })
      .map(({ name }) => name);
    if (running.length > 0)
      return blocked(
        `${running.join(', ')} still run${running.length === 1 ? 's' : ''} on ${host.name}`,
        `Stop ${running.length === 1 ? 'it' : 'them'} in an earlier step, with service.stop, and name ${running.length === 1 ? 'it' : 'them'} under units here.`,
      );
    const gone = found.filter((one) => !one.inRepository);
    const lost = gone.length === 0 ? null : `no repository of ${host.name} has ${gone.map(nameAndVersion).join(', ')} any more`;
    if (lost !== null && params.requireUndo)
      return blocked(
        `${lost}: removed, ${gone.length === 1 ? 'it' : 'they'} could not come back`,
        'Configure a repository that has it (and fetch its lists), or set requireUndo: false, which asks before it removes for good.',
      );
    const undo: RemoveUndo = {
      packages: found.map(({ name, version, auto }) => ({ name, version, auto })),
      units: found.flatMap(({ units }) => units).map(({ name, enabled }) => ({ name, enabled: enabledBefore(name) ?? enabled })),
      lockWaitS: Math.ceil(toMs(params.lockTimeout) / 1000),
      lost,
    };
    const conf = [...new Set([...found.flatMap((one) => one.conf), ...params.keep])];
    return change({
      summary: `remove ${there.map((name) => nameAndVersion(found.find((one) => one.name === name) ?? { name, version: '' })).join(', ')}`,
      predicts: [
        ...facts.packages.filter(({ absent }) => !absent).map((fact) => fact.becomesAbsent()),
        // Whether a unit file of its own stays, masked or in /etc, is for the package to say.
        ...[...facts.units, ...facts.keep].map((fact) => fact.becomesUnknown()),
      ],
      outputs,
      undo,
      undoSummary: lost === null ? 'install the same versions from the kept packages' : 'nothing: they cannot be had again',
      data: { packages: there },
      keep: [
        ...(lost === null ? [{ name: 'packages', host: host.name, print: fetchScript(undo.packages) }] : []),
        ...(conf.length === 0 ? [] : [{ name: 'conf', host: host.name, print: archiveScript(conf) }]),
      ],
      opaque: true,
      ...(lost === null ? {} : { irreversible: lost }),
    });

    function enabledBefore(name: string): string | undefined {
      return facts.units[params.units.indexOf(name)]?.value?.enabled;
    }
  },
  preflight({ packages, keep }, ask, { host }) {
    const { removal } = ask({ removal: packageRemoval(packages).on(host.name) });
    const bytes = removal.value?.packages.reduce((sum, one) => sum + one.bytes, 0) ?? 0;
    return {
      keeps: [...(bytes > 0 ? [{ host: host.name, bytes, what: packages.join(', ') }] : []), ...keepsOf(keep, ask, host)],
    };
  },
  async apply({ on, params, change: { data }, ctx }) {
    const script = removeScript(data.packages, Math.ceil(toMs(params.lockTimeout) / 1000), ctx.kept(on.name, 'packages'));
    const result = await on.detached('remove', script, { okCodes: ANY_CODE, timeoutMs: toMs(params.timeout), note: 'removing' });
    if (result.code === 0) return;
    const args = {
      packages: data.packages.join(' '),
      host: on.name,
      why: lastLines(result.stdout, 8) || `exit code ${result.code}`,
    };
    if (result.code !== TAKES_MORE) throw new FerryError('PACKAGES_NOT_REMOVED', args);
    throw new FerryError('PACKAGES_TAKE_MORE', args, { left: `Nothing was removed on ${on.name}.` });
  },
  async rollback({ on, undo, ctx }) {
    if (undo.lost !== null) return undo.packages.map((one) => staysRemoved(on.name, one, undo.lost));
    const script = restoreScript(undo, { packages: ctx.kept(on.name, 'packages'), conf: ctx.kept(on.name, 'conf') });
    const result = await on.detached('restore', script, { okCodes: ANY_CODE, note: 'installing again' });
    if (result.code === 0) return [];
    const why = lastLines(result.stdout, 8) || `exit code ${result.code}`;
    throw new FerryError('PACKAGES_NOT_BACK', { packages: undo.packages.map(nameAndVersion).join(', '), host: on.name, why });
  },
  preview: undoPreview({
    facts: ({ packages, units }: RemoveUndo, { host }) => ({
      packages: packages.map(({ name }) => packageVersion(name).on(host)),
      units: units.map(({ name }) => unitState(name).on(host)),
    }),
    look({ packages, units, lost }, facts, { host }) {
      const gone = packages.flatMap((one, index) => {
        const fact = facts.packages[index];
        return fact?.absent ? [{ one, fact }] : [];
      });
      if (lost !== null) return { diff: [], kept: gone.map(({ one }) => staysRemoved(host, one, lost)) };
      return {
        diff: gone.map(({ one }) => ['+', `package ${nameAndVersion(one)}`] as const),
        predicts: [
          ...gone.map(({ one, fact }) => fact.becomes({ version: one.version })),
          ...units.flatMap(({ enabled }, index) => {
            const fact = facts.units[index];
            return fact?.absent && gone.length > 0 ? [fact.becomes({ active: false, moving: false, enabled })] : [];
          }),
        ],
      };
    },
  }),
  verifyTimeoutMs: 10_000,
  examples: [
    {
      title: 'Take a service away that has moved, after it was stopped',
      with: { packages: ['ovirt-engine-dwh'], units: ['ovirt-engine-dwhd.service'], keep: ['/etc/ovirt-engine-dwh'] },
    },
  ],
});

function inTheWay(
  removal: { takes: readonly string[]; brings: readonly string[]; refused: string | null; packages: readonly InstalledPackage[] },
  host: string,
) {
  const names = removal.packages.map(({ name }) => name).join(', ');
  if (removal.takes.length > 0)
    return blocked(
      `removing ${names} on ${host} would take ${removal.takes.join(', ')} along`,
      'Name them under packages if they are to go; otherwise leave it installed, stopped and disabled.',
    );
  if (removal.brings.length > 0)
    return blocked(
      `removing ${names} on ${host} would install ${removal.brings.join(', ')}`,
      'Something needs one of the two: leave it installed, stopped and disabled.',
    );
  if (removal.refused !== null)
    return blocked(
      `${names} cannot be removed on ${host}: ${removal.refused}`,
      `On ${host}, as root:  apt-get -s remove ${names.replaceAll(',', '')}`,
    );
  return undefined;
}

function nameAndVersion({ name, version }: { name: string; version: string }): string {
  return version === '' ? name : `${name} ${version}`;
}

function staysRemoved(host: string, { name, version }: { name: string; version: string }, why: string | null) {
  return { host, key: packageVersion.key(name), what: `package ${name} ${version} stays removed: ${why ?? ''}` };
}
