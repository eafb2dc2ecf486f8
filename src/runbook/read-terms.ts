import type { Limits, Terms } from '../hosts/host.ts';
import { parseDuration } from '../lib/duration.ts';
import type { Json } from '../lib/json.ts';

const UNITS: Readonly<Record<string, number>> = { KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, kB: 1e3, MB: 1e6, GB: 1e9 };

/** Reads `limits` and `stallAfter` of a step; undefined when it has neither. What the schema refuses is left out. */
export function readTerms(limits: Json | undefined, stallAfter: Json | undefined): Terms | undefined {
  const stallAfterMs = typeof stallAfter === 'string' ? parseDuration(stallAfter) : null;
  const read = limits !== null && typeof limits === 'object' && !Array.isArray(limits) ? readLimits(limits) : {};
  if (stallAfterMs === null && Object.keys(read).length === 0) return undefined;
  return { ...(Object.keys(read).length > 0 ? { limits: read } : {}), ...(stallAfterMs === null ? {} : { stallAfterMs }) };
}

function readLimits({ cpuWeight, ioWeight, memoryMax }: { readonly [name: string]: Json }): Limits {
  const [, count, unit] = /^(\d+(?:\.\d+)?) ?([KMG]iB|kB|MB|GB)$/.exec(String(memoryMax ?? '')) ?? [];
  return {
    ...(typeof cpuWeight === 'number' ? { cpuWeight } : {}),
    ...(typeof ioWeight === 'number' ? { ioWeight } : {}),
    ...(count && unit ? { memoryMaxBytes: Math.round(Number(count) * (UNITS[unit] ?? 1)) } : {}),
  };
}
