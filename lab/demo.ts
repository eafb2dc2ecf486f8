import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { execOn } from './exec-on.ts';
import { labUp } from './lab.ts';
import { LabError } from './lab-error.ts';

const PROJECT = join(import.meta.dirname, '..');
const RUNBOOK = 'runbooks/ovirt/migrate-engine-db.yaml';

/**
 * Shows Ferry at work: a lab comes up, the plan is shown, the engine database moves from one host to another, and the hosts
 * are asked where things are now. A second time there is nothing left to do, and it says so.
 */
async function demo(): Promise<number> {
  const say = (line: string) => process.stdout.write(`${line}\n`);
  const dir = process.env.FERRY_LAB_DIR ?? join(PROJECT, '.lab');
  heading('1  A lab: five hosts with their own systemd, sshd and PostgreSQL');
  await labUp({ dir, say });
  const inventory = join(dir, 'inventory.yaml');
  const state = ['--state-dir', join(dir, 'runs')];

  heading('2  The plan: read from the hosts, nothing written on any');
  const planned = ferry(['plan', RUNBOOK, '-i', inventory, ...state]);
  if (planned !== 0) return planned;

  heading('3  The run');
  const ran = ferry(['run', RUNBOOK, '-i', inventory, ...state, '--yes']);
  if (ran !== 0) return ran;

  heading('4  What the hosts say');
  await ask(dir, 'engine', 'the health page', 'curl -s http://localhost/ovirt-engine/services/health; echo');
  const sessions =
    "runuser -u postgres -- psql -XAtc \"SELECT count(*) || ' sessions of the engine' FROM pg_stat_activity WHERE datname = 'engine' AND usename = 'engine'\"";
  await ask(dir, 'newdb', 'on the new server', sessions);
  await ask(dir, 'engine', 'on the old server', sessions);
  await ask(dir, 'he1', 'maintenance', "hosted-engine --vm-status | grep -c 'GLOBAL MAINTENANCE' | sed 's/^0$/none/'");
  if (existsSync(join(dir, 'runs', 'journal.db'))) {
    say('');
    ferry(['status', ...state]);
  }
  say(`
The engine works on newdb now; the old database is fenced and kept on engine.
  run it again      npm run demo                                        (says "already done")
  take it back      npm run ferry -- rollback --state-dir ${short(dir)}/runs --discard-writes
  look around       npm run lab -- ssh newdb
  begin anew        npm run lab -- reset      end the lab   npm run lab -- down`);
  return 0;
}

function ferry(words: string[]): number {
  process.stdout.write(`$ ferry ${words.map(short).join(' ')}\n`);
  // Ctrl-C is Ferry's to hear, which asks what it means; without this process the shell would take the terminal from it.
  const deaf = () => undefined;
  process.on('SIGINT', deaf);
  const { status } = spawnSync(process.execPath, ['src/main.ts', ...words], { cwd: PROJECT, stdio: 'inherit' });
  process.off('SIGINT', deaf);
  return status ?? 1;
}

async function ask(dir: string, host: string, what: string, script: string): Promise<void> {
  const answer = await execOn(dir, host, script);
  process.stdout.write(`${host.padEnd(8)}${what.padEnd(20)}${(answer.stdout || answer.stderr).trim()}\n`);
}

function heading(text: string): void {
  process.stdout.write(`\n== ${text}\n\n`);
}

function short(word: string): string {
  return word.startsWith(`${PROJECT}/`) ? word.slice(PROJECT.length + 1) : word;
}

try {
  process.exitCode = await demo();
} catch (thrown) {
  if (!(thrown instanceof LabError)) throw thrown;
  process.stderr.write(`${thrown.message}\n${thrown.hint ?? ''}\n`);
  process.exitCode = 1;
}
