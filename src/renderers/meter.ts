import { formatBytes } from '../lib/bytes.ts';
import { formatDuration } from '../lib/duration.ts';
import { oneLine } from './layout.ts';

interface Sample {
  readonly atMs: number;
  readonly bytes: number;
}

export interface Progressed {
  readonly at: string;
  readonly note: string | null;
  readonly bytes: number | null;
  readonly totalBytes: number | null;
  readonly log?: string | null;
}

/** Turns the progress events of one step into words, with a rate over the last ten seconds. */
export interface Meter {
  /** `restoring: 61 MB of 204 MB, 34 MB/s, about 4 s left`; of what tells no bytes the last line it printed. */
  words(progress: Progressed): string;
}

const WINDOW_MS = 10_000;

export function createMeter(): Meter {
  let samples: Sample[] = [];
  let printed = '';
  return {
    words({ at, note, bytes, totalBytes, log = null }) {
      const label = note ? oneLine(note) : '';
      printed = log === null ? printed : oneLine(log.split('\n').at(-1) ?? '');
      if (bytes === null) return [printed, label].find((text) => text !== '') ?? '';
      const atMs = Date.parse(at);
      // A new file or attempt starts from a lower count; the old rate says nothing about it.
      if (bytes < (samples.at(-1)?.bytes ?? 0)) samples = [];
      samples = [...samples.filter((sample) => atMs - sample.atMs <= WINDOW_MS), { atMs, bytes }];
      const rate = rateOf(samples);
      const parts = [totalBytes ? `${formatBytes(bytes)} of ${formatBytes(totalBytes)}` : formatBytes(bytes)];
      if (rate > 0) parts.push(`${formatBytes(rate)}/s`);
      if (rate > 0 && totalBytes && totalBytes > bytes) parts.push(`about ${remaining((totalBytes - bytes) / rate)} left`);
      return `${label ? `${label}: ` : ''}${parts.join(', ')}`;
    },
  };
}

/** Bytes per second over the samples; 0 when they cannot tell. */
function rateOf(samples: readonly Sample[]): number {
  const [first, last] = [samples[0], samples.at(-1)];
  if (!first || !last || last.atMs - first.atMs < 500) return 0;
  return ((last.bytes - first.bytes) / (last.atMs - first.atMs)) * 1000;
}

function remaining(seconds: number): string {
  return seconds < 59.5 ? `${Math.max(1, Math.round(seconds))} s` : formatDuration(Math.round(seconds) * 1000);
}
