import type { Room } from '../actions/action.ts';
import type { Diagnostic } from '../errors/diagnostic.ts';
import { finding } from '../errors/finding.ts';
import type { Prediction } from '../facts/fact.ts';
import { fileStat } from '../facts/file-stat.ts';
import { formatBytes } from '../lib/bytes.ts';

interface Peak {
  readonly room: readonly Room[];
  readonly sum: number;
}

/**
 * Adds up what the steps of a plan, in order, will take of each file system of each host, and what they give back. What
 * several steps take of one file system counts together, and is told once.
 */
export class RoomLedger {
  readonly #taken = new Map<string, Room[]>();
  readonly #least = new Map<string, Peak>();
  readonly #likely = new Map<string, Peak>();

  take(room: Room): void {
    if (!room.free) return;
    const id = `${room.host} ${room.free.mount}`;
    const taken = [...(this.#taken.get(id) ?? []), room];
    this.#taken.set(id, taken);
    keepHighest(this.#least, id, { room: taken, sum: sumOf(taken, 'least') });
    keepHighest(this.#likely, id, { room: taken, sum: sumOf(taken, 'likely') });
  }

  /** Gives back what was taken for a path that a change removes, itself or a folder it is in. */
  release(predicts: readonly Prediction[]): void {
    const gone = new Set(predicts.flatMap(({ host, key, to }) => (to?.state === 'absent' ? [`${host} ${key}`] : [])));
    if (gone.size === 0) return;
    const isGone = ({ host, path }: Room) => selfAndParents(path).some((one) => gone.has(`${host} ${fileStat.key(one)}`));
    for (const [id, taken] of this.#taken)
      this.#taken.set(
        id,
        taken.filter((room) => !isGone(room)),
      );
  }

  /** DISK_FULL where even the least does not fit, DISK_TIGHT where the likely does not. */
  findings(): Diagnostic[] {
    return [...this.#likely].flatMap(([id, likely]) => {
      const least = this.#least.get(id);
      const first = likely.room[0];
      if (!first?.free || !least) return [];
      const { host, free } = first;
      const at = { host, mount: free.mount, free: formatBytes(free.bytes) };
      if (least.sum > free.bytes)
        return [finding('DISK_FULL', { ...at, least: formatBytes(least.sum), what: wordsFor(least.room, 'least') })];
      if (likely.sum <= free.bytes) return [];
      const args = { ...at, likely: formatBytes(likely.sum), what: wordsFor(likely.room, 'likely') };
      return [finding('DISK_TIGHT', args, undefined, { severity: 'warning' })];
    });
  }
}

function keepHighest(peaks: Map<string, Peak>, id: string, peak: Peak): void {
  if (peak.sum >= (peaks.get(id)?.sum ?? 0)) peaks.set(id, peak);
}

function sumOf(room: readonly Room[], of: 'least' | 'likely'): number {
  return room.reduce((sum, one) => sum + one[of], 0);
}

function wordsFor(room: readonly Room[], of: 'least' | 'likely'): string {
  const shown = room.filter((one) => one[of] > 0);
  return shown.map((one) => `${one.what} ${formatBytes(one[of])}`).join(', ');
}

function selfAndParents(path: string): string[] {
  const end = path.lastIndexOf('/');
  return end <= 0 ? [path] : [path, ...selfAndParents(path.slice(0, end))];
}
