import { entry } from '../entry.ts';

/** Errors of a run after which others have worked on its hosts, or that is over there. */
export const overtakenErrors = {
  RUN_OVERTAKEN: entry<{ run: string; newer: string; latest: string }>({
    title: 'Newer runs have worked on the hosts of the run',
    message: (a) =>
      `After ${a.run}, other runs have worked on its hosts: ${a.newer}. ${a.run} knows nothing of what they did, and would destroy it.`,
    hint: (a) =>
      `${a.latest ? `Take that back first:  ferry rollback ${a.latest};` : 'Take that back first, from the state folder that has it;'}  to go back all the same, over what is there now:  ferry rollback ${a.run} --over-newer`,
    exit: 5,
    example: { run: 'r-1', newer: 'r-2 (migrate-engine-db, finished) on engine and newdb', latest: 'r-2' },
  }),
  RUN_TAKEN_BACK: entry<{ run: string; hosts: string; verb: string }>({
    title: 'The run was taken back already',
    message: (a) => `Run ${a.run} was taken back and has given its hosts back, ${a.hosts} says; there is nothing to ${a.verb}.`,
    hint: (a) => `ferry status ${a.run}   shows how far this state folder knows it;  ferry audit ${a.run}`,
    exit: 64,
    example: { run: 'r-1', hosts: 'engine', verb: 'roll back' },
  }),
};
