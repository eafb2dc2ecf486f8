import { entry } from '../entry.ts';

/** Errors of oVirt's own setup. */
export const ovirtSetupErrors = {
  SETUP_FAILED: entry<{ host: string; code: number; stage: string; why: string; todo: string }>({
    title: 'engine-setup failed',
    message: (a) =>
      `engine-setup on ${a.host} ended with exit code ${a.code}${a.stage ? ` in its stage "${a.stage}"` : ''}: ${a.why}`,
    hint: (a) =>
      `${a.todo}. Then:  ferry resume   puts back what the step protects and runs it again. Its log is in /var/log/ovirt-engine/setup.`,
    exit: 1,
    example: {
      host: 'dwh',
      code: 1,
      stage: 'Transaction setup',
      why: 'dwhd is currently running. Its hostname is engine.example.com.',
      todo: 'Stop and disable ovirt-engine-dwhd on that host',
    },
  }),
  HISTORY_LOST: entry<{ host: string; database: string; why: string }>({
    title: 'The history of the data warehouse is not there',
    message: (a) => `${a.database} on ${a.host} does not hold the history of the data warehouse: ${a.why}`,
    hint: () =>
      'Where engine-setup was ended in the middle, stop ovirt-engine-dwhd and restore the newest dump in /var/lib/ovirt-engine-dwh/backups of the machine it ran on into an empty database. Then:  ferry resume',
    exit: 1,
    example: {
      host: 'engine',
      database: 'ovirt_engine_history',
      why: 'nothing is in calendar, host_configuration any more',
    },
  }),
};
