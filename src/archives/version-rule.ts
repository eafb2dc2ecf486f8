/** Versions between which a restore goes up a minor one; nothing else does. */
const PAIRS: readonly (readonly [made: string, installed: string])[] = [
  ['4.3', '4.5'],
  ['4.4', '4.5'],
];
/** The first of 4.3 whose archives have all that later ones need. */
const FIRST_OF_4_3 = '4.3.10';

/** Why an archive made by one version of the engine may not be restored by another, as engine-backup has it; null when it may. */
export function versionRefused(made: string | null, installed: string): string | null {
  if (made === null || !/^\d+\.\d+/.test(made)) return `it does not say which version made it, and ${installed} is installed`;
  const [madeMinor, installedMinor] = [minor(made), minor(installed)];
  if (madeMinor === '4.3' && compareVersions(made, FIRST_OF_4_3) < 0)
    return `version ${made} made it, and of 4.3 only ${FIRST_OF_4_3} and later can be restored`;
  if (PAIRS.some(([from, to]) => from === madeMinor && to === installedMinor)) return null;
  if (madeMinor !== installedMinor) return `version ${made} made it, and ${installed} is installed`;
  return compareVersions(made, installed) <= 0
    ? null
    : `version ${made} made it, which is newer than the ${installed} that is installed`;
}

function minor(version: string): string {
  return version.split('.').slice(0, 2).join('.');
}

/** Compares by the numbers in them: 4.5.10 is after 4.5.9. */
function compareVersions(a: string, b: string): number {
  const numbers = (version: string) => (version.match(/\d+/g) ?? []).map(Number);
  const [left, right] = [numbers(a), numbers(b)];
  for (let index = 0; index < Math.max(left.length, right.length); index += 1) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
