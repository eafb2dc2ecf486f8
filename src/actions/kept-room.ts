import { fileStat } from '../facts/file-stat.ts';
import { treeSize } from '../facts/tree-size.ts';
import type { HostInfo } from '../hosts/host.ts';
import type { Ask, Preflight } from './action.ts';

/** Room for paths of a host that will be kept before they are changed; for what an earlier step makes there is nothing known. */
export function keepsOf(paths: readonly string[], ask: Ask, host: HostInfo): NonNullable<Preflight['keeps']> {
  const facts = ask(paths.map((path) => ({ stat: fileStat(path).on(host.name), size: treeSize(path).on(host.name) })));
  return facts.flatMap(({ stat, size }, index) =>
    stat.read && size.value ? [{ host: host.name, bytes: size.value, what: paths[index] ?? '' }] : [],
  );
}
