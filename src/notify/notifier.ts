import type { Event } from '../engine/events.ts';
import { isoTime } from '../lib/clock.ts';
import { type Notice, type NoticeBody, type NoticedEnd, NoticeWriter } from './notice.ts';
import type { Target } from './target.ts';

/** Tells the outside what becomes of a run. It never fails and never holds up the run; `close` waits for what is under way. */
export interface Notifier {
  hear(event: Event): void;
  ended(end: NoticedEnd): void;
  close(): Promise<void>;
}

/** Notices of one run to all its targets, in order for each, made `fit` to leave. One that does not arrive is handed to `failed`. */
export function createNotifier(
  targets: readonly Target[],
  about: Pick<Notice, 'run' | 'runbook' | 'by'>,
  side: { fit(notice: Notice): Notice; failed(target: string, notice: Notice, why: string): void },
): Notifier {
  const writer = new NoticeWriter(about.run);
  const chains = targets.map(() => Promise.resolve());
  const tell = (bodies: readonly NoticeBody[]) => {
    for (const body of bodies) {
      const rest = { step: null, host: null, question: null, error: null, rollbackAt: null, goOn: [] };
      const notice = side.fit({ version: 1, at: isoTime(), ...about, ...rest, ...body });
      targets.forEach((target, index) => {
        chains[index] = (chains[index] ?? Promise.resolve())
          .then(() => target.send(`${JSON.stringify(notice)}\n`))
          .catch((thrown: unknown) =>
            side.failed(target.shown, notice, thrown instanceof Error ? thrown.message : String(thrown)),
          );
      });
    }
  };
  return {
    hear: (event) => tell(writer.hear(event)),
    ended: (end) => tell(writer.ended(end)),
    close: async () => void (await Promise.all(chains)),
  };
}
