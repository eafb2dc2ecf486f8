import { ask } from './evidence.ts';

// systemd's own names for "a unit was started", "came to its end", and "failed".
const UNIT_STARTED = '39f53479d3a045ac8e11786248231fbf';
const UNIT_ENDED = ['7ad2d189f7e94e70a38c781354912448', 'd9b373ed55a64feb8242e02dbe79a49c'];

/** When a command of an attempt lived, in seconds since 1970 by its host's clock, which a reboot does not set back. */
export interface CommandLife {
  readonly host: string;
  readonly step: string;
  readonly undo: boolean;
  readonly attempt: number;
  readonly name: string;
  /** When the folder of its attempt was opened, and when it was begun itself. */
  readonly opened: number;
  readonly begun: number;
  /** When it left its exit code, was found dead, or systemd saw the end of its unit, whichever is last; null when nothing tells. */
  readonly ended: number | null;
}

/**
 * Reads the lives of a run's commands off its hosts: from the times of the files in attempt folders, and from what systemd has
 * told of their units, which knows nothing of those.
 */
export async function commandLives(labDir: string, run: string, hosts: readonly string[]): Promise<CommandLife[]> {
  const each = await Promise.all(
    hosts.map(async (host) => {
      const files = await ask(
        labDir,
        host,
        `cd /var/lib/ferry/${run} 2>/dev/null || exit 0; t() { stat -c %.Y "$1" 2>/dev/null || echo -; }
for f in *.*/*/; do f=\${f%/}; [ -e "$f/boot" ] || continue; e=$(t "$f/rc"); [ "$e" != - ] || e=$(t "$f/lost"); echo "$f $(t "\${f%/*}/intent.json") $(t "$f/boot") $e"; done`,
      );
      const ids = [UNIT_STARTED, ...UNIT_ENDED].map((id) => `MESSAGE_ID=${id}`).join(' ');
      const units = await ask(labDir, host, `journalctl -o json --output-fields=UNIT,MESSAGE_ID --no-pager ${ids}`);
      const told = new Map<string, { started?: number; ended?: number }>();
      for (const line of units.split('\n').filter(Boolean)) {
        const said = JSON.parse(line) as Record<string, string>;
        const unit = new RegExp(`^ferry-${run}-(.+)\\.service$`).exec(said.UNIT ?? '')?.[1];
        if (unit === undefined) continue;
        const seconds = Number(said.__REALTIME_TIMESTAMP) / 1e6;
        const known = told.get(unit) ?? {};
        told.set(unit, said.MESSAGE_ID === UNIT_STARTED ? { started: seconds, ...known } : { ...known, ended: seconds });
      }
      return files.split('\n').flatMap((line): CommandLife[] => {
        const [, step = '', undo, attempt, name = '', opened, begun, end] =
          /^(.+?)\.(undo\.)?(\d+)\/(\S+) (\S+) (\S+) (\S+)$/.exec(line) ?? [];
        if (!attempt) return [];
        const unit = told.get(`${step.replace('@', ':')}.${undo ?? ''}${attempt}-${name}`);
        const ends = [end === '-' ? undefined : Number(end), unit?.ended].filter((one) => one !== undefined);
        const starts = [Number(begun), unit?.started ?? Number.POSITIVE_INFINITY];
        return [
          {
            ...{ host, step, undo: undo !== undefined, attempt: Number(attempt), name, opened: Number(opened) },
            begun: Math.min(...starts),
            ended: ends.length === 0 ? null : Math.max(...ends),
          },
        ];
      });
    }),
  );
  return each.flat();
}

/**
 * What began, on any host of a step, before all of an earlier attempt of it on the same host had its end; an undo comes after
 * every attempt that was opened before it. Pure; empty when all is well.
 */
export function overlapping(lives: readonly CommandLife[]): string[] {
  const words = ({ host, step, undo, attempt, name }: CommandLife) => `${host} ${step}.${undo ? 'undo.' : ''}${attempt}/${name}`;
  return lives.flatMap((later) =>
    lives.flatMap((earlier) => {
      const isSame = earlier.host === later.host && earlier.step === later.step;
      const isLater = earlier.undo === later.undo ? earlier.attempt < later.attempt : earlier.opened < later.opened;
      if (!isSame || !isLater) return [];
      if (earlier.ended === null) return [`${words(later)} was begun, and nothing tells the end of ${words(earlier)}`];
      const from = Math.min(later.opened, later.begun);
      const ms = Math.round((earlier.ended - from) * 1000);
      return earlier.ended <= from ? [] : [`${words(later)} was begun ${ms} ms before the end of ${words(earlier)}`];
    }),
  );
}
