import { z } from 'zod';
import { packageVersion } from '../../facts/package-version.ts';
import { blocked, check, defineAction } from '../action.ts';
import { role } from '../params.ts';
import { packageName } from './params.ts';

export default defineAction({
  summary: 'Check that packages have the version they have on another machine.',
  description:
    'Told by facts alone, so a plan is blocked when it does not hold. Of a package that an earlier step installs the version is known when that is done: then the run stops here.',
  params: z.strictObject({
    packages: z.array(packageName()).min(1).describe('Names of packages.'),
    as: role().describe('Role of the machine that has the versions there should be.'),
  }),
  outputs: { versions: 'The versions there should be, in the order of the names.' },
  roles: ({ as }) => [as],
  facts: ({ host, hostOf }, { packages, as }) => ({
    here: packages.map((name) => packageVersion(name).on(host.name)),
    there: packages.map((name) => packageVersion(name).on(hostOf(as).name)),
  }),
  touches: (_, here) => ({ effects: [{ does: 'prove', role: here }] }),
  plan({ packages, as }, { here, there }, { host, hostOf }) {
    const other = hostOf(as).name;
    for (const [index, name] of packages.entries()) {
      const wanted = there[index]?.value?.version;
      const found = here[index]?.value;
      if (!wanted)
        return blocked(`${name} is not installed on ${other}`, `It should be there. Is ${other} the machine that plays ${as}?`);
      if (!found) return blocked(`${name} is not installed on ${host.name}`, 'Install it in an earlier step.');
      if (found.version !== null && found.version !== wanted)
        return blocked(
          `${name} is ${found.version} on ${host.name} and ${wanted} on ${other}`,
          `Install ${wanted} on ${host.name}, or bring ${other} to ${found.version}; then plan again.`,
        );
    }
    const versions = there.map((fact) => fact.value?.version ?? null);
    const isKnown = here.every((fact) => fact.value?.version !== null);
    const shown = `${packages.join(', ')}: ${isKnown ? '' : 'to be '}${[...new Set(versions)].join(', ')}, as on ${other}`;
    return check(shown, { outputs: { versions } });
  },
  examples: [{ title: 'The same PostgreSQL on both machines', with: { packages: ['postgresql'], as: 'old_db' } }],
});
