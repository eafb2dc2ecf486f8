import { formatBytes } from '../lib/bytes.ts';
import type { Limits } from './host.ts';
import { joinSh, type Sh, sh } from './sh.ts';

/** Options of systemd-run that hold a unit to its limits. */
export function unitLimits({ cpuWeight, ioWeight, memoryMaxBytes }: Limits): Sh {
  return joinSh(
    [
      ...(cpuWeight === undefined ? [] : [sh`--property=${`CPUWeight=${cpuWeight}`}`]),
      ...(ioWeight === undefined ? [] : [sh`--property=${`IOWeight=${ioWeight}`}`]),
      ...(memoryMaxBytes === undefined ? [] : [sh`--property=${`MemoryMax=${memoryMaxBytes}`}`]),
    ],
    ' ',
  );
}

/**
 * What to write before a command where there are no units: a nice value for the CPU weight, each step of it being a quarter more or less, and a
 * best-effort level for that of I/O. There is nothing of this kind for memory.
 */
export function plainLimits({ cpuWeight = 100, ioWeight = 100 }: Limits): Sh {
  const nice = Math.max(-20, Math.min(19, Math.round(Math.log(100 / cpuWeight) / Math.log(1.25))));
  const level = Math.max(0, Math.min(7, Math.round(4 + 1.5 * Math.log2(100 / ioWeight))));
  return joinSh([...(nice === 0 ? [] : [sh`nice -n ${nice}`]), ...(level === 4 ? [] : [sh`ionice -c 2 -n ${level} -t`])], ' ');
}

/** `CPU weight 20, I/O weight 20, memory at most 2.1 GB` */
export function limitWords({ cpuWeight, ioWeight, memoryMaxBytes }: Limits): string {
  return [
    ...(cpuWeight === undefined ? [] : [`CPU weight ${cpuWeight}`]),
    ...(ioWeight === undefined ? [] : [`I/O weight ${ioWeight}`]),
    ...(memoryMaxBytes === undefined ? [] : [`memory at most ${formatBytes(memoryMaxBytes)}`]),
  ].join(', ');
}
