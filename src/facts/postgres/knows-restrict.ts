/** The first release of each major version whose psql knows `\restrict`; of 18 on all do. */
const SINCE: Readonly<Record<number, number>> = { 13: 22, 14: 19, 15: 14, 16: 10, 17: 6 };

/** Whether a psql can be told, by `\restrict`, to take none of its own commands out of what it reads. Newer plain dumps begin with that. */
export function knowsRestrict(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major >= 18 || minor >= (SINCE[major] ?? Infinity);
}
