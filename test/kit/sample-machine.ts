// Runs as a process of its own: node sample-machine.ts OUT ROOT..  Says "ready" after its first round, and ends with SIGTERM.
import { appendFileSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A line of OUT: what was seen, once however often it was seen. */
export interface Sample {
  readonly what: 'arguments' | 'environment' | 'unit';
  /** What the process calls itself, or the file of the unit. */
  readonly of: string;
  readonly text: string;
}

// The shortest command that could give a secret away, psql, takes some 20 ms.
const PAUSE_MS = 5;
const YOUNG_ROUNDS = 100;
const [out = '', ...roots] = process.argv.slice(2);
const seen = new Set<string>();
const ages = new Map<string, number>();

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // It ended in the meantime.
    return '';
  }
}

function note(what: Sample['what'], of: string, text: string): void {
  const key = `${what} ${of} ${text}`;
  if (text === '' || seen.has(key)) return;
  seen.add(key);
  appendFileSync(out, `${JSON.stringify({ what, of, text } satisfies Sample)}\n`);
}

/** All processes of this machine and of the hosts on it, which share its /proc. A young one may still call exec, so it is read more often. */
function sampleProcesses(): void {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  for (const pid of pids) {
    const age = (ages.get(pid) ?? 0) + 1;
    ages.set(pid, age);
    if (age > YOUNG_ROUNDS && age % YOUNG_ROUNDS !== 0) continue;
    const args = read(`/proc/${pid}/cmdline`);
    note('arguments', args.slice(0, 100), args);
    note('environment', args.slice(0, 100), read(`/proc/${pid}/environ`));
  }
  const alive = new Set(pids);
  for (const pid of ages.keys()) if (!alive.has(pid)) ages.delete(pid);
}

function sampleUnits(): void {
  for (const root of roots) {
    const folder = join(root, 'run/systemd/transient');
    let names: string[] = [];
    try {
      names = readdirSync(folder);
    } catch {
      // There is no such folder before the first such unit.
    }
    for (const name of names) note('unit', name, read(join(folder, name)));
  }
}

function round(): void {
  sampleProcesses();
  sampleUnits();
  setTimeout(round, PAUSE_MS);
}

round();
process.stdout.write('ready\n');
