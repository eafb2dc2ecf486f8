import type { EffectOf } from './book.ts';

/** One program a command runs, with its arguments as written. */
export interface ProgramCall {
  readonly program: string;
  readonly args: readonly string[];
}

const WRAPPERS = ['sudo', 'runuser', 'su', 'env', 'nice', 'ionice', 'nohup', 'time', 'timeout', 'exec', 'command'];
const SHELLS = ['sh', 'bash', 'dash', 'ksh'];

/** The programs a command runs, as far as that can be read off it. Quotes are taken away, expansions are left as they are. */
export function programsOf(command: EffectOf<'run-command'>): ProgramCall[] {
  return [...(command.argv ? callsOf(command.argv) : []), ...(command.shell === undefined ? [] : inShell(command.shell))];
}

function inShell(text: string): ProgramCall[] {
  return splitCommands(text).flatMap(callsOf);
}

function callsOf(words: readonly string[]): ProgramCall[] {
  const [first, ...rest] = words;
  if (first === undefined) return [];
  if (/^\w+=/.test(first)) return callsOf(rest);
  const program = first.slice(first.lastIndexOf('/') + 1);
  if (SHELLS.includes(program) || program === 'su') {
    const script = rest[rest.findIndex((word) => /^-\w*c$/.test(word)) + 1];
    if (script !== undefined && rest.some((word) => /^-\w*c$/.test(word))) return inShell(script);
  }
  if (!WRAPPERS.includes(program)) return [{ program, args: rest }];
  // Options of a wrapper, and the one value such as a user that may follow them, come before the program.
  const after = rest.findIndex(
    (word, index) => !word.startsWith('-') && !/^(-u|-g|-n|--user|--group)$/.test(rest[index - 1] ?? ''),
  );
  const start = program === 'timeout' && after !== -1 ? after + 1 : after;
  return after === -1 ? [] : callsOf(rest.slice(start));
}

/** Cuts shell text into simple commands and those into words; here-documents are taken for text like any other. */
function splitCommands(text: string): string[][] {
  const commands: string[][] = [[]];
  const token =
    /#[^\n]*|\\\n|(\n|;|&&|\|\||\||&(?!>)|\(|\)|`)|((?:"(?:[^"\\]|\\[\s\S])*"|'[^']*'|\$\{\{(?:(?!\}\})[\s\S])*\}\}|\\.|[^\s;&|()`"'\\])+)|["'\\]/g;
  for (const [whole, cut, word] of text.matchAll(token)) {
    if (cut !== undefined) commands.push([]);
    else if (word !== undefined) commands.at(-1)?.push(word.replaceAll(/"((?:[^"\\]|\\[\s\S])*)"|'([^']*)'/g, '$1$2'));
    else if (whole.startsWith('#')) continue;
  }
  const opening = ['if', 'then', 'else', 'elif', 'do', 'while', 'until', '!', '{', 'for', 'case'];
  return commands
    .map((words) => words.slice(words.findIndex((word) => !opening.includes(word))))
    .filter((words) => words.length > 0);
}
