import type { RunContext } from '../engine/run-context.ts';
import { carryHint, carryPlaces, type Places } from '../errors/carry-places.ts';
import { FerryError, isFerryError } from '../errors/ferry-error.ts';
import { Secret } from '../hosts/secret.ts';
import { createNotifier } from '../notify/notifier.ts';
import { type Target, targetOf } from '../notify/target.ts';
import type { CommonOptions, RunEnd, RunIo } from './contract.ts';
import { readSecret } from './secrets.ts';

/** Where notices of a run go, what of that is secret, and the places that commands in them carry. */
export interface Hooks {
  readonly targets: readonly Target[];
  readonly secrets: readonly Secret[];
  readonly places?: Places | undefined;
}

/** The hooks that were named, each usable as far as that can be told without calling it. @throws NOTIFY_WRONG */
export async function hooksOf({ notify = [], places }: CommonOptions, env = process.env): Promise<Hooks> {
  const texts = await Promise.all(
    notify.map((text) =>
      /^(env|file):/.test(text)
        ? readSecret('notify', text, env).catch((thrown: unknown) => {
            throw isFerryError(thrown) ? new FerryError('NOTIFY_WRONG', { why: thrown.message.replace(/\.$/, '') }) : thrown;
          })
        : text,
    ),
  );
  return {
    targets: texts.map((text) => targetOf(text, env)),
    secrets: texts.flatMap((text) => (text.startsWith('cmd:') ? [] : [new Secret(text, 'notify')])),
    places,
  };
}

/**
 * Works on a run and notifies of what becomes of it. A notice that does not arrive is told and goes on record, and that is all;
 * the end of the work waits for the last one.
 */
export async function notifying<E extends Omit<RunEnd, 'run'>>(
  { targets, secrets, places }: Hooks,
  context: RunContext,
  io: NotifiedIo,
  work: () => Promise<E>,
): Promise<E> {
  if (targets.length === 0) return work();
  const { ports, state } = context;
  for (const secret of secrets) ports.learn(secret);
  const notifier = createNotifier(
    targets,
    { run: state.run, runbook: state.plan.runbook.name, by: ports.holder },
    {
      fit(notice) {
        const goOn = notice.goOn.map((command) => carryPlaces(command, places));
        return ports.redact({ ...notice, error: carryHint(notice.error, places), goOn });
      },
      failed(target, { type }, why) {
        context.emit({ type: 'note', text: `The notice "${type}" did not arrive at ${target}: ${why}.` });
        try {
          context.record('notify.failed', { body: { target, notice: type, why } });
        } catch (thrown) {
          // The journal is full, or another's by now: no reason to end what the notice was about.
          if (!isFerryError(thrown)) throw thrown;
        }
      },
    },
  );
  io.alsoTell((event) => notifier.hear(event));
  const goesBack = () => state.phase === 'rolling-back';
  try {
    const end = await work();
    notifier.ended({ ...end, goesBack: goesBack() });
    return end;
  } catch (thrown) {
    notifier.ended({ outcome: 'failed', error: context.report(thrown, ''), goesBack: goesBack() });
    throw thrown;
  } finally {
    await notifier.close();
  }
}

/** A terminal or log whose events go to one more listener. */
export interface NotifiedIo extends RunIo {
  alsoTell(listener: RunIo['emit']): void;
}

export function listened(io: RunIo): NotifiedIo {
  let also: RunIo['emit'] = () => undefined;
  return {
    ...io,
    emit(event) {
      io.emit(event);
      also(event);
    },
    alsoTell(listener) {
      also = listener;
    },
  };
}
