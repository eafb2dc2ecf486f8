import { entry } from '../entry.ts';

/** What does not come where it is waited for. */
export const arrivalErrors = {
  ROWS_MISSING: entry<{ host: string; database: string; table: string; limit: string; why: string }>({
    title: 'No new row arrives in a table',
    message: (a) => `Table ${a.table} of database ${a.database} on ${a.host} got no new row in ${a.limit}: ${a.why}.`,
    hint: () =>
      'Look at the log of the service that should write there, and where it is connected;  ferry resume   waits once more.',
    exit: 1,
    example: {
      host: 'newdb',
      database: 'ovirt_engine_history',
      table: 'host_samples_history',
      limit: '3m',
      why: 'it has none that is newer',
    },
  }),
};
