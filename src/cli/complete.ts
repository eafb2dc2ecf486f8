import type { Argument, Command, Option } from 'commander';
import { type Answer, type Around, type Candidate, candidatesFor } from './candidates.ts';

/**
 * What can stand in the place of the last of these words, which may be empty or begun. The words are those after `ferry`, as
 * typed so far; the last is where the cursor is. Nothing that goes wrong is told: there are then fewer candidates.
 */
export async function complete(program: Command, words: readonly string[], around: Around): Promise<Answer> {
  const begun = words.at(-1) ?? '';
  const { command, given, options, awaiting, onlyPositionals } = read(program, words.slice(0, -1));
  const context = { ...around, command, given, options };
  if (awaiting) return matching(await valuesOf(awaiting, '', begun), begun);
  if (!onlyPositionals && begun.startsWith('-')) {
    const [name = '', value] = cutAt(begun, '=');
    const option = value === undefined ? undefined : optionOf(command, name);
    if (option) return matching(await valuesOf(option, `${name}=`, value ?? ''), begun);
    return matching({ candidates: flagsOf(command) }, begun);
  }
  const verbs = given.length === 0 ? verbsOf(command) : [];
  const argument = command.registeredArguments[given.length] ?? command.registeredArguments.findLast((one) => one.variadic);
  const answer: Answer = argument ? await argumentValues(argument) : { candidates: [] };
  return matching({ ...answer, candidates: [...verbs, ...answer.candidates] }, begun);

  async function argumentValues(of: Argument): Promise<Answer> {
    if (of.argChoices) return { candidates: of.argChoices.map((value) => ({ value })) };
    return candidatesFor(of.name(), begun, context);
  }

  /** Values of an option, each behind what is already there of the word. */
  async function valuesOf(option: Option, before: string, value: string): Promise<Answer> {
    const answer = option.argChoices
      ? { candidates: option.argChoices.map((choice) => ({ value: choice })) }
      : await candidatesFor(option.long ?? '', value, context);
    return { ...answer, candidates: answer.candidates.map((one) => ({ ...one, value: `${before}${one.value}` })) };
  }
}

/** The verb the words lead to, the words that are its arguments, its options with their values, and an option that waits for one. */
function read(program: Command, words: readonly string[]) {
  let command = program;
  let awaiting: Option | undefined;
  let onlyPositionals = false;
  const given: string[] = [];
  const options = new Map<string, string>();
  for (const word of words) {
    if (awaiting) {
      options.set(awaiting.long ?? '', word);
      awaiting = undefined;
    } else if (word === '--') {
      onlyPositionals = true;
    } else if (!onlyPositionals && word.startsWith('-')) {
      const [name = '', value] = cutAt(word, '=');
      const option = optionOf(command, name);
      if (option && value !== undefined) options.set(option.long ?? '', value);
      else if (option?.required) awaiting = option;
    } else {
      const verb = given.length === 0 ? command.commands.find((one) => one.name() === word) : undefined;
      if (verb) command = verb;
      else given.push(word);
    }
  }
  return { command, given, options, awaiting, onlyPositionals };
}

function optionOf(command: Command, name: string): Option | undefined {
  return command.options.find((option) => option.long === name || option.short === name);
}

function flagsOf(command: Command): Candidate[] {
  return command
    .createHelp()
    .visibleOptions(command)
    .map((option) => ({ value: option.long ?? option.short ?? '', about: option.description }));
}

function verbsOf(command: Command): Candidate[] {
  return command
    .createHelp()
    .visibleCommands(command)
    .map((verb) => ({ value: verb.name(), about: verb.summary() || verb.description() }));
}

function cutAt(word: string, mark: string): string[] {
  const at = word.indexOf(mark);
  return at < 0 ? [word] : [word.slice(0, at), word.slice(at + 1)];
}

function matching(answer: Answer, begun: string): Answer {
  return { ...answer, candidates: answer.candidates.filter(({ value }) => value.startsWith(begun)) };
}
