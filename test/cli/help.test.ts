import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { buildProgram } from '../../src/cli/program.ts';
import { PROJECT } from '../../src/dev/action-files.ts';
import { loadRunbook } from '../../src/runbook/load.ts';
import { modelWire, typed } from '../kit/ferry.ts';
import { createKeyboard, createScreen, createSignals } from '../kit/terminal.ts';

/** A program like the real one, whose help is written for a terminal of 80 columns. */
function program(): Command {
  const screen = createScreen({ columns: 80, rows: 40 });
  const outside = {
    stdin: createKeyboard().stream,
    stdout: screen.stream,
    stderr: screen.stream,
    env: {},
    signals: createSignals(),
  };
  return buildProgram({
    outside: { ...outside, loadWire: () => Promise.resolve(modelWire().wire), leave: () => undefined, places: {} },
    exitCode: 0,
  });
}

const verbs = (command: Command, path: string[] = []): string[][] =>
  command
    .createHelp()
    .visibleCommands(command)
    .filter((verb) => verb.name() !== 'help')
    .flatMap((verb) => [[...path, verb.name()], ...verbs(verb, [...path, verb.name()])]);
const all = [[], ...verbs(program())];

async function help(words: readonly string[]): Promise<string> {
  const ferry = typed([...words, '--help'], { wire: null as never, columns: 80 });
  expect(await ferry.exit).toBe(0);
  return ferry.out.text();
}

/** The command lines a help shows: without what stands behind them, and without what a shell does with them. */
function shown(text: string): string[][] {
  const lines = text.split('\n').flatMap((line) => /^ {2}\$ .*?(ferry [^)>|]*?)(?: {2,}|\)|>|\||$)/.exec(line)?.[1] ?? []);
  return lines.map((line) =>
    line
      .trim()
      .split(' ')
      .slice(1)
      .filter((word) => !word.startsWith('2')),
  );
}

describe.each(all.map((words) => ({ verb: ['ferry', ...words].join(' '), words })))('the help of $verb', ({ words }) => {
  it('fits a terminal of 80 columns', async () => {
    expect((await help(words)).split('\n').filter((line) => line.length > 80)).toEqual([]);
  });

  it('shows only command lines that Ferry takes', async () => {
    const examples = shown(await help(words));
    for (const example of examples) {
      const parser = program();
      const quiet = (command: Command): void => {
        command.action(() => undefined).exitOverride();
        command.commands.forEach(quiet);
      };
      parser.commands.forEach(quiet);
      await expect(parser.parseAsync(example, { from: 'user' }), example.join(' ')).resolves.toBeDefined();
      await areKnown(example);
    }
    // A verb of a group may have its examples there.
    if (words.length < 2) expect(examples.length).toBeGreaterThan(0);
  });
});

/** Inputs and secrets that an example gives to a shipped runbook are inputs of it. */
async function areKnown(example: readonly string[]): Promise<void> {
  const path = example.find((word) => /^(runbooks|examples)\//.test(word));
  if (path === undefined) return;
  const loaded = await loadRunbook(join(PROJECT, path), { readFile: async (file) => readFileSync(file, 'utf8') });
  if (!('runbook' in loaded)) throw new Error(`${path} is not sound`);
  const given = example.flatMap((word, index) =>
    ['--input', '--secret'].includes(example[index - 1] ?? '') ? [word.split('=')[0]] : [],
  );
  const known: (string | undefined)[] = loaded.runbook.inputs.map(({ name }) => name);
  expect(given.filter((name) => !known.includes(name))).toEqual([]);
}

it('the help of verbs that act names all that --on-failure may be, and says that without a terminal nobody is asked', async () => {
  const words = async (verb: string) => (await help([verb])).replaceAll(/\s+/g, ' ');
  expect(await words('run')).toContain('ask, pause, rollback or "pause 20m, then rollback", after any time');
  expect(await words('run')).not.toContain('choices: "ask"');
  for (const verb of ['run', 'resume', 'rollback'])
    expect(await words(verb)).toContain('Without a terminal, or with --json, nobody is asked');
});
