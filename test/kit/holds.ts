import { ask, query, until } from './evidence.ts';

const HOLD = '/run/ferry-test-hold';
const LOOP = `while [ -e ${HOLD} ]; do sleep 0.05; done`;

/** Lets go of what is held; doing it twice is fine. */
export type Release = () => Promise<void>;

/** A unit that cannot get past its ExecStop or ExecStartPre. */
export async function holdUnit(labDir: string, host: string, unit: string, at: 'ExecStop' | 'ExecStartPre'): Promise<Release> {
  const folder = `/run/systemd/system/${unit}.service.d`;
  await ask(
    labDir,
    host,
    `touch ${HOLD}; mkdir -p ${folder}; printf '[Service]\\n${at}=/bin/sh -c "${LOOP}"\\n' >${folder}/hold.conf; systemctl daemon-reload`,
  );
  return () => ask(labDir, host, `rm -rf ${HOLD} ${folder}; systemctl daemon-reload`).then(() => undefined);
}

/** Every `tee` on a host, which is what receives a file there, stops after 100 kB; the bytes come by the real ssh. */
export async function holdReceiver(labDir: string, host: string): Promise<Release> {
  const tee = '/usr/local/bin/tee';
  const wrapper = `#!/bin/sh\n{ head -c 100000; ${LOOP}; cat; } | /usr/bin/tee "$@"\n`;
  await ask(labDir, host, `touch ${HOLD}; printf '%s' '${wrapper}' >${tee}; chmod 755 ${tee}`);
  return () => ask(labDir, host, `rm -f ${HOLD} ${tee}`).then(() => undefined);
}

/** A session of the superuser holds a lock on a table of the database `engine`. */
export async function holdTable(labDir: string, host: string, table: string, mode: string): Promise<Release> {
  await ask(
    labDir,
    host,
    `systemctl reset-failed ferry-test-lock 2>/dev/null; systemd-run --quiet --collect --unit=ferry-test-lock runuser -u postgres -- psql -X -d engine -c BEGIN -c 'LOCK TABLE ${table} IN ${mode} MODE' -c 'SELECT pg_sleep(600)'`,
  );
  const sessions = `FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(600)'`;
  await until(`the lock on ${table}`, async () => (await query(labDir, host, 'postgres', `SELECT count(*) ${sessions}`)) === '1');
  return () => query(labDir, host, 'postgres', `SELECT pg_terminate_backend(pid) ${sessions}`).then(() => undefined);
}
