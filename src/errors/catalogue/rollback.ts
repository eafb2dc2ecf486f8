import { entry } from '../entry.ts';

/** Errors of a rollback: what could not be undone, and a proof that does not hold. */
export const rollbackErrors = {
  UNDO_FAILED: entry<{ steps: string; why: string; blocked: string; owed: string; hosts: string; run: string }>({
    title: 'A step could not be undone',
    message: (a) =>
      `${a.steps} could not be undone: ${a.why}${/[.!?]$/.test(a.why) ? '' : '.'}${waiting(a.blocked)}${a.owed ? ` ${owedOn(a.hosts, a.owed)}` : ''}`,
    hint: (a) => `Mend the cause, then  ferry rollback ${a.run}   takes back the rest, and proves it.`,
    exit: 3,
    example: {
      ...{ steps: 'stop-services on engine', why: 'the unit is masked.', blocked: 'maintenance' },
      ...{ owed: 'restore', hosts: 'newdb', run: 'r-1' },
    },
  }),
  UNDO_OWED: entry<{ steps: string; hosts: string; blocked: string; run: string }>({
    title: 'Steps are still to be undone, on a host that cannot be reached',
    message: (a) =>
      a.steps
        ? `${owedOn(a.hosts, a.steps)}${a.blocked ? ` Left until then, because writers may be at work on it: ${a.blocked}.` : ''}`
        : `What is on ${a.hosts} could not be compared with what was there before, because Ferry cannot get there.`,
    hint: (a) => `Once ${a.hosts} can be reached again,  ferry rollback ${a.run}   takes back the rest, and proves it.`,
    exit: 3,
    example: { steps: 'restore, copy', hosts: 'newdb', blocked: '', run: 'r-1' },
  }),
  ROLLBACK_CALLED_OFF: entry<{ why: string; run: string }>({
    title: 'A run that failed is not rolled back by itself',
    message: (a) => `Not rolled back by itself: ${a.why}${/[.!?]$/.test(a.why) ? '' : '.'}`,
    hint: (a) => `ferry status ${a.run}   shows where it stands, and the commands that lead on.`,
    exit: 1,
    example: { why: 'somebody took it on (run.resumed)', run: 'r-1' },
  }),
  PROOF_FAILED: entry<{ count: number; facts: string; run: string }>({
    title: 'After a rollback something is not as it was',
    message: (a) =>
      `The rollback is done, but ${a.count === 1 ? 'a fact is' : `${a.count} facts are`} not as before, or cannot be read: ${a.facts}.`,
    hint: (a) =>
      `ferry status ${a.run}   shows what it was and what it is now. Put it right by hand, if it is not right as it is.`,
    exit: 1,
    example: { count: 1, facts: 'unitState(ovirt-engine.service) on engine', run: 'r-1' },
  }),
  PROOF_UNREAD: entry<{ why: string; run: string }>({
    title: 'What a rollback left could not be read',
    message: (a) => `Whether all is as it was before could not be read: ${a.why}`,
    hint: (a) => `Mend the cause, then  ferry rollback ${a.run}   reads it again and proves it.`,
    exit: 3,
    example: { why: 'A command on newdb gave no answer within 60 s.', run: 'r-1' },
  }),
};

function waiting(steps: string): string {
  return steps ? ` Left until that is done, because it comes before it: ${steps}.` : '';
}

function owedOn(hosts: string, steps: string): string {
  return `What is on ${hosts} is not taken back, because Ferry cannot get there: ${steps}.`;
}
