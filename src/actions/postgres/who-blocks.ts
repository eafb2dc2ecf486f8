import { runSql } from '../../facts/postgres/psql.ts';
import type { Sh } from '../../hosts/sh.ts';

// No query is shown: it may hold a secret.
const WAITS = `SELECT format('%s (server process %s) waits for a lock held by pid %s: %s%s, %s for %s',
  a.application_name, a.pid, b.pid, b.usename, coalesce(' with ' || nullif(b.application_name, ''), ''), b.state,
  date_trunc('second', clock_timestamp() - b.state_change))
 FROM pg_stat_activity a CROSS JOIN LATERAL unnest(pg_blocking_pids(a.pid)) AS by(pid) JOIN pg_stat_activity b ON b.pid = by.pid
 WHERE a.datname = :'db' AND a.application_name = :'program' ORDER BY a.pid, b.pid LIMIT 5;
SELECT format('%s (server process %s) waits for %s: %s', application_name, pid, wait_event_type, wait_event)
 FROM pg_stat_activity WHERE datname = :'db' AND application_name = :'program' AND state = 'active'
 AND wait_event_type IS NOT NULL AND wait_event_type <> 'Lock' ORDER BY pid LIMIT 5;`;

/**
 * Says, a sentence a line, what the server processes that work for a program (`pg_dump`, `pg_restore`) in a database wait for: which
 * lock, who holds it, and since when. Prints nothing where none waits.
 */
export function whoBlocks(port: number, database: string, program: string): Sh {
  return runSql({ port }, WAITS, { db: database, program });
}
