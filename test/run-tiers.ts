import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { constants, setPriority, tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { stripVTControlCharacters } from 'node:util';

const PROJECT = join(import.meta.dirname, '..');
const bin = (name: string) => join(PROJECT, 'node_modules', '.bin', name);

interface Count {
  passed: number;
  failed: number;
  skipped: number;
}

/** What vitest's JSON report has of a file, as far as it is told here. */
interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly message: string;
    readonly assertionResults: readonly {
      readonly status: string;
      readonly fullName: string;
      readonly failureMessages: readonly string[];
    }[];
  }[];
}

const total: Count = { passed: 0, failed: 0, skipped: 0 };
/** What went wrong or was left out, told once more at the end: whoever reads a log reads its end. */
const told: string[] = [];
const reports = mkdtempSync(join(tmpdir(), 'ferry-test-'));

/** How a tier is run: shown as it comes or all at once at its end, and yielding to what runs beside it or not. */
interface Manner {
  readonly live?: boolean;
  readonly yields?: boolean;
}

/** Runs one command, and gives its exit code. */
function run(words: [string, ...string[]], { live = false, yields = false }: Manner): Promise<number> {
  const [file, ...args] = words;
  return new Promise((resolve) => {
    const child = spawn(file, args, { cwd: PROJECT, stdio: live ? 'inherit' : ['ignore', 'pipe', 'pipe'] });
    if (yields && child.pid !== undefined) setPriority(child.pid, constants.priority.PRIORITY_BELOW_NORMAL);
    const chunks: Buffer[] = [];
    child.stdout?.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.stderr?.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.on('close', (code) => {
      process.stdout.write(Buffer.concat(chunks));
      resolve(code ?? 1);
    });
  });
}

/** A command that counts as one test: it passes or it fails. */
async function single(name: string, words: [string, ...string[]]): Promise<boolean> {
  const code = await run(words, { live: true });
  process.stdout.write(`${code === 0 ? 'ok' : 'FAILED'}  ${name}\n`);
  if (code === 0) total.passed += 1;
  else {
    total.failed += 1;
    told.push(`failed   ${name}`);
  }
  return code === 0;
}

/** A line for each test that failed or was left out, and for each file that could not be run. */
function tell(name: string, { testResults }: Report): void {
  for (const { name: path, message, assertionResults } of testResults) {
    const file = relative(PROJECT, path);
    if (message) told.push(`failed   ${name}  ${file}: ${firstLines(message)}`);
    for (const { status, fullName, failureMessages } of assertionResults) {
      if (status === 'failed') told.push(`failed   ${name}  ${file}: ${fullName}\n${firstLines(failureMessages.join('\n'))}`);
      else if (status !== 'passed') told.push(`left out ${name}  ${file}: ${fullName}`);
    }
  }
}

/** Enough of a message to know the failure by: without the places inside the packages. */
const firstLines = (text: string) =>
  stripVTControlCharacters(text)
    .split('\n')
    .filter((line) => !/^\s+at .*(node_modules|node:)/.test(line))
    .slice(0, 12)
    .map((line) => `           ${line}`)
    .join('\n');

/** One tier of tests. A run that leaves no report, or fails without a failed test, counts as one failure. */
async function tier(name: string, manner: Manner = {}): Promise<void> {
  const began = performance.now();
  const file = join(reports, `${name}.json`);
  const code = await run(
    [
      ...[bin('vitest'), 'run', '--project', name, '--reporter=default', '--reporter=json', `--outputFile.json=${file}`],
      ...(manner.yields ? ['--maxWorkers=1'] : []),
    ] as [string, ...string[]],
    manner,
  );
  const count: Count = { passed: 0, failed: 0, skipped: 0 };
  try {
    const report = JSON.parse(readFileSync(file, 'utf8')) as Report;
    tell(name, report);
    count.passed = report.numPassedTests;
    count.failed = report.numFailedTests;
    count.skipped = report.numPendingTests + report.numTodoTests;
  } catch {
    count.failed = 1;
    told.push(`failed   ${name}: it left no report`);
  }
  if (code !== 0 && count.failed === 0) {
    count.failed = 1;
    told.push(`failed   ${name}: it ended with exit code ${code}, though no test failed`);
  }
  process.stdout.write(
    `${name}: ${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped in ${((performance.now() - began) / 1000).toFixed(0)} s\n`,
  );
  total.passed += count.passed;
  total.failed += count.failed;
  total.skipped += count.skipped;
}

/** Tiers that need no lab, one after the other: they take the time that the labs beside them wait for. */
async function beside(names: readonly string[]): Promise<void> {
  for (const name of names) await tier(name, { yields: true });
}

/** Tiers with a lab each, two at a time: as many as there are cores. The longest come first. */
async function labs(names: readonly string[]): Promise<void> {
  const left = [...names];
  const lane = async () => {
    for (let name = left.shift(); name !== undefined; name = left.shift()) await tier(name);
  };
  await Promise.all([lane(), lane()]);
}

if (process.argv[2] === 'crash') {
  // The whole matrices, of which the other way has samples.
  process.env.FERRY_EVERY_FAULT = '1';
  if (await single('build', [process.execPath, 'src/dev/build.ts']))
    await Promise.all([beside(['matrix']), labs(['faults', 'contract', 'e2e', 'trouble', 'rollback'])]);
} else if (process.argv[2] === 'chapter') {
  process.env.FERRY_WHOLE_CHAPTER = '1';
  if (await single('build', [process.execPath, 'src/dev/build.ts'])) await tier('chapter', { live: true });
} else {
  await single('types', [bin('tsc'), '-p', '.']);
  await single('lint and format', [bin('biome'), 'check']);
  await single('generated files are up to date', [process.execPath, 'src/dev/generate.ts', '--check']);
  const built = await single('build', [process.execPath, 'src/dev/build.ts']);
  process.stdout.write('runs that stand half done or are killed (test/e2e/half-done, kill) are left to npm run test:crash\n');
  process.stdout.write(
    'of deaths in the middle of actions (test/contract) two thirds are left to it too, and rollbacks from each step\n',
  );
  process.stdout.write("the runs of oVirt's chapter (test/chapter) are left to npm run test:chapter, all but a sample\n");
  const onLabs = async () => {
    // The lab's package install and its cache are made by it, for the most part by waiting; the others then find them.
    await tier('lab-kit');
    await labs(['lab', 'trouble', 'contract', 'e2e', 'chapter', 'faults', 'rollback']);
  };
  await Promise.all([beside(['unit', 'fuzz', 'matrix', 'shells']), built ? onLabs() : undefined]);
}
rmSync(reports, { recursive: true, force: true });
for (const line of told) process.stdout.write(`${line}\n`);
process.stdout.write(`${total.passed} passed, ${total.failed} failed${total.skipped > 0 ? `, ${total.skipped} skipped` : ''}\n`);
process.exitCode = total.failed > 0 ? 1 : 0;
