import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { execOn } from '../../lab/lab.ts';
import { pollUntil } from '../../lab/poll-until.ts';
import type { JournalRecord } from '../../src/journal/journal.ts';
import type { FerryOnLab } from './ferry-on-lab.ts';

const HOSTS = ['engine', 'newdb', 'he1'];
// systemd's own name for "a unit was started".
const UNIT_STARTED = '39f53479d3a045ac8e11786248231fbf';

/** Runs a script on a lab host past its network, which must succeed; gives what it printed. */
export async function ask(labDir: string, host: string, script: string): Promise<string> {
  const answer = await execOn(labDir, host, script);
  if (answer.code !== 0) throw new Error(`${script} on ${host} ended with ${answer.code}: ${answer.stderr}${answer.stdout}`);
  return answer.stdout.trim();
}

/** Asks again until it is so; no longer than a minute and a half: some wait for all that a run does first, on a machine with other work. */
export async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  await pollUntil(isSo, { what, timeoutMs: 90_000 });
}

/** One SQL query as the superuser, its rows as psql prints them. */
export async function query(labDir: string, host: string, database: string, sql: string): Promise<string> {
  const script = `runuser -u postgres -- psql -XAtq -v ON_ERROR_STOP=1 -d ${database}`;
  const answer = await execOn(labDir, host, script, { input: sql });
  if (answer.code !== 0) throw new Error(`${sql} on ${host}: ${answer.stderr}`);
  return answer.stdout.trim();
}

/** The records of the latest run, read from the journal's file past Ferry. */
export function recordsOf(ferry: FerryOnLab): JournalRecord[] {
  const database = new DatabaseSync(join(ferry.stateDir, 'journal.db'), { readOnly: true });
  const rows = database
    .prepare('SELECT * FROM records WHERE run = (SELECT run FROM runs ORDER BY rowid DESC LIMIT 1) ORDER BY seq')
    .all();
  database.close();
  return rows.map((row) => ({ ...row, body: JSON.parse(String(row.body)) })) as unknown as JournalRecord[];
}

/** The latest run. */
export function runOf(ferry: FerryOnLab): string {
  const database = new DatabaseSync(join(ferry.stateDir, 'journal.db'), { readOnly: true });
  const row = database.prepare('SELECT run FROM runs ORDER BY rowid DESC LIMIT 1').get();
  database.close();
  return String(row?.run);
}

/** The attempts of a step on record, in order. */
export function attemptsOf(ferry: FerryOnLab, step: string): number[] {
  return recordsOf(ferry).flatMap((one) => (one.type === 'step.intended' && one.step === step ? [Number(one.body.attempt)] : []));
}

/** What the hosts tell of the commands of a run: each of these lists has one entry for each time it happened. */
export interface Commands {
  /** Lines in the hosts' system logs: `engine dump.1 detached=dump`. */
  readonly logged: readonly string[];
  /** Units systemd says it started: `engine dump.1-dump`, with the invocation. */
  readonly units: readonly { readonly name: string; readonly invocation: string }[];
  /** Folders of commands: `engine dump.1/dump 0`, with the exit code, or `-` when it left none. */
  readonly folders: readonly string[];
}

/** Reads the evidence that the commands of a run left on its hosts, in three places that do not know of one another. */
export async function commandsOf(labDir: string, run: string, hosts: readonly string[] = HOSTS): Promise<Commands> {
  const each = await Promise.all(
    hosts.map(async (host) => {
      const said = await ask(labDir, host, 'journalctl -t ferry -o cat --no-pager');
      const started = await ask(labDir, host, `journalctl -o json --no-pager MESSAGE_ID=${UNIT_STARTED}`);
      const folders = await ask(
        labDir,
        host,
        `cd /var/lib/ferry/${run} 2>/dev/null || exit 0; for f in *.*/*/; do [ -d "$f" ] || continue; f=\${f%/}; echo "$f $(cat "$f/rc" 2>/dev/null || echo -)"; done`,
      );
      return {
        logged: [...said.matchAll(/^run=(\S+) step=(\S+) attempt=(\d+)( undo)? (\S+)$/gm)].flatMap(
          ([, of, step, attempt, undo, what]) => (of === run ? [`${host} ${step}.${undo ? 'undo.' : ''}${attempt} ${what}`] : []),
        ),
        units: started.split('\n').flatMap((line) => {
          const { UNIT = '', INVOCATION_ID = '' } = line === '' ? {} : (JSON.parse(line) as Record<string, string>);
          const name = new RegExp(`^ferry-${run}-(.+)\\.service$`).exec(UNIT)?.[1];
          return name ? [{ name: `${host} ${name}`, invocation: INVOCATION_ID }] : [];
        }),
        folders: folders.split('\n').flatMap((line) => (line === '' ? [] : [`${host} ${line}`])),
      };
    }),
  );
  return {
    logged: each.flatMap(({ logged }) => logged),
    units: each.flatMap(({ units }) => units),
    folders: each.flatMap(({ folders }) => folders),
  };
}

/** What happened more than once though it may happen once only; empty when all is well. */
export function repeated({ logged, units }: Commands): string[] {
  const seen = new Set<string>();
  const twice: string[] = [];
  for (const one of [...logged, ...units.map(({ name }) => `unit ${name}`)]) {
    if (seen.has(one)) twice.push(one);
    seen.add(one);
  }
  return twice;
}

/** The identity of a running unit: its invocation and its main process. */
export async function runningUnit(labDir: string, host: string, unit: string): Promise<{ invocation: string; pid: string }> {
  const shown = await ask(labDir, host, `systemctl show -p ActiveState -p InvocationID -p MainPID -- ${unit}`);
  const said = new Map(shown.split('\n').map((line) => line.split('=') as [string, string]));
  if (said.get('ActiveState') !== 'active') throw new Error(`${unit} on ${host} does not run: ${shown}`);
  return { invocation: said.get('InvocationID') ?? '', pid: said.get('MainPID') ?? '' };
}

/** Every table of a database with its number of rows and a hash over all of them; `leaveOut` names tables that live on. */
export async function contentOf(
  labDir: string,
  host: string,
  database: string,
  leaveOut: readonly string[] = [],
): Promise<string> {
  const out = leaveOut.map((name) => `'${name}'`).join(', ') || `''`;
  return await query(
    labDir,
    host,
    database,
    `SELECT format('SELECT %L, count(*), md5(string_agg(t::text, chr(10) ORDER BY t::text COLLATE "C")) FROM %I.%I t', relname, nspname, relname)
     FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE relkind = 'r' AND nspname = 'public' AND relname NOT IN (${out}) ORDER BY relname
     \\gexec`,
  );
}
