import { entry } from '../entry.ts';

/** Errors of runs that change hands: fenced controllers, takeovers, records kept on hosts. */
export const takeoverErrors = {
  JOURNAL_FENCED: entry<{ run: string; by: string; at: string; ours: number; theirs: number }>({
    title: 'The run was taken over',
    message: (a) =>
      `Run ${a.run} was taken over${a.by ? ` by ${a.by}` : ''} at ${a.at} (epoch ${a.theirs}, ours is ${a.ours}). This controller changes nothing of it any more.`,
    hint: (a) => `ferry status ${a.run}`,
    exit: 5,
    example: { run: 'r-1', by: 'root@admin1', at: '2026-01-01T02:00:00.000Z', ours: 1, theirs: 2 },
  }),
};
