import { resolve } from 'node:path';
import { type Argument, Command, CommanderError } from 'commander';
import { carryHint } from '../errors/carry-places.ts';
import { FerryError, isFerryError } from '../errors/ferry-error.ts';
import { FindingsError } from '../errors/findings-error.ts';
import { printable } from '../lib/text.ts';
import { actions } from './commands/actions.ts';
import { approve } from './commands/approve.ts';
import { audit } from './commands/audit.ts';
import { backup } from './commands/backup.ts';
import { clean } from './commands/clean.ts';
import { completion } from './commands/completion.ts';
import { init } from './commands/init.ts';
import { lab } from './commands/lab.ts';
import { log } from './commands/log.ts';
import { plan } from './commands/plan.ts';
import { reject } from './commands/reject.ts';
import { resume } from './commands/resume.ts';
import { rollback } from './commands/rollback.ts';
import { run } from './commands/run.ts';
import { runs } from './commands/runs.ts';
import { schema } from './commands/schema.ts';
import { status } from './commands/status.ts';
import { takeover } from './commands/takeover.ts';
import { unlock } from './commands/unlock.ts';
import { validate } from './commands/validate.ts';
import { type Outside, pageOf, printError } from './outside.ts';
import { packageVersion } from './package-folder.ts';
import type { Cli, Verb } from './verb.ts';

/** The verbs in the order of a day's work, under their headings. */
const VERBS: readonly (readonly [heading: string, verbs: readonly Verb[]])[] = [
  ['Write:', [init, actions, validate]],
  ['Move:', [plan, run, approve, reject, resume, rollback]],
  ['Look:', [status, runs, log, audit, backup]],
  ['Around:', [takeover, unlock, clean, schema, completion, lab]],
];

const AFTER = `
Examples:
  $ ferry init              a runbook and an inventory to begin with
  $ ferry plan move.yaml    what a run would do; changes nothing
  $ ferry run move.yaml     do it
  $ ferry resume            go on, after anything that stopped it
  $ ferry rollback --plan   what taking it back would do

Exit codes: 0 done, 1 failed, 3 paused, 4 rolled back, 5 refused,
64 usage, 65 bad runbook, 130 detached by Ctrl-C.`;

/** Does what the words of a command line say and answers with the exit code. Never throws. */
export async function runCli(words: readonly string[], around: Omit<Outside, 'places'>): Promise<number> {
  const outside: Outside = { ...around, places: {} };
  const cli: Cli = { outside, exitCode: 0 };
  const json = words.includes('--json');
  try {
    await buildProgram(cli).parseAsync(words, { from: 'user' });
    return cli.exitCode;
  } catch (thrown) {
    if (thrown instanceof CommanderError && thrown.exitCode === 0) return 0;
    // Ferry without words: its help is on stderr already.
    if (thrown instanceof CommanderError && thrown.code === 'commander.help') return 64;
    const error = thrown instanceof CommanderError ? usageError(thrown, words) : thrown;
    const { reportOf } = await import('../renderers/error.ts');
    const findings = error instanceof FindingsError ? error.findings.map((one) => carryHint(one, outside.places)) : undefined;
    if (error instanceof FindingsError && !json) await showFindings(error, outside);
    await printError(outside, { ...reportOf(error), ...(findings && { findings }) }, json);
    if (!isFerryError(error) && outside.env.FERRY_DEBUG)
      outside.stderr.write(`${printable(String(error instanceof Error ? error.stack : error))}\n`);
    return isFerryError(error) ? error.exit : 1;
  }
}

/** All verbs with their words; made anew for each command line. */
export function buildProgram(cli: Cli): Command {
  const { stdout, stderr, env } = cli.outside;
  const program = new Command('ferry')
    .description(
      'Ferry moves stateful services between machines: it shows what it would do, does it, survives its own death, and can take it back.',
    )
    .version(packageVersion(), '-V, --version', 'show the version')
    // Words after `lab ssh HOST` belong to ssh.
    .enablePositionalOptions()
    .helpOption('-h, --help', 'show help')
    .usage('<verb> [options]')
    .configureHelp({ subcommandTerm: (verb) => [verb.name(), ...verb.registeredArguments.map(argumentTerm)].join(' ') })
    .addHelpText('after', AFTER)
    .exitOverride()
    .hook('preAction', (_program, verb) => {
      const { stateDir } = verb.opts<{ stateDir?: string }>();
      if (stateDir !== undefined) cli.outside.places.stateDir = resolve(stateDir);
    })
    .configureOutput({
      writeOut: (text) => stdout.write(text),
      writeErr: (text) => stderr.write(text),
      // Told once, in Ferry's own form, by the catch above.
      outputError: () => undefined,
      getOutHelpWidth: () => (stdout.isTTY ? stdout.columns : 100),
      getErrHelpWidth: () => (stderr.isTTY ? stderr.columns : 100),
      getOutHasColors: () => Boolean(stdout.isTTY && !env.NO_COLOR),
      getErrHasColors: () => Boolean(stderr.isTTY && !env.NO_COLOR),
    });
  for (const [heading, verbs] of VERBS) {
    program.commandsGroup(heading);
    for (const add of verbs) add(program, cli);
  }
  // Last, so that it stands under the last heading.
  return program.helpCommand('help [verb]', 'show the help of a verb');
}

function argumentTerm(argument: Argument): string {
  const name = `${argument.name()}${argument.variadic ? '...' : ''}`;
  return argument.required ? `<${name}>` : `[${name}]`;
}

/** What commander says of a command line, as an error of ours: what is wrong and where the help is. */
function usageError(thrown: CommanderError, words: readonly string[]): FerryError {
  const said = thrown.message.replace(/^error: /, '').replace(/\n\(Did you mean (.*)\?\)$/s, '; did you mean $1?');
  const sentence = `${said.charAt(0).toUpperCase()}${said.slice(1)}`.replace(/([^.?])$/, '$1.');
  const verb = words.find((word) => !word.startsWith('-')) ?? '';
  const isVerb = VERBS.some(([, verbs]) => verbs.some((add) => add.name === verb));
  return new FerryError('USAGE_WRONG', { problem: sentence, command: isVerb ? `ferry ${verb}` : 'ferry' }, { cause: thrown });
}

/** What is wrong with the files a verb was given, before the error that counts it. */
async function showFindings(error: FindingsError, outside: Outside): Promise<void> {
  const { diagnosticsText } = await import('../renderers/diagnostics.ts');
  outside.stderr.write(`${diagnosticsText(error.findings, error.sources, pageOf(outside, 'stderr'))}\n\n`);
}
