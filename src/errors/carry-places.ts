import { quote } from '../lib/quote.ts';

/**
 * The places one command line named, absolute, so that a command it tells can be typed from any folder. Each command line has its
 * own, and puts in what it learns as it goes: hand on the object, not a copy.
 */
export interface Places {
  stateDir?: string;
  inventory?: string;
}

// Verbs that look at runs.
const COMMAND =
  /\bferry (?:plan|run|resume|rollback|status|runs|log|audit|approve|reject|clean|takeover|unlock)(?![\w-])(?: [^\s;]*[^\s;.,)])*/g;
// Of these the ones that know no inventory but the one that is named.
const NEEDS_INVENTORY = /^ferry (unlock|takeover .*--from)/;
// What is to be typed on another machine has that machine's places.
const ELSEWHERE = /^(?: {3}or {3}ferry \S+ \S+)? {3}on /;

/**
 * The same text, with each `ferry` command in it completed by the places that were typed for this one: without them it would look
 * at other runs, or connect to other hosts. Every command that is told passes here.
 */
export function carryPlaces(text: string, { stateDir, inventory }: Places = {}): string {
  return text.replace(COMMAND, (command, at: number) => {
    if (command.includes('--help') || ELSEWHERE.test(text.slice(at + command.length))) return command;
    const needsInventory = NEEDS_INVENTORY.test(command) && !/ (-i|--inventory)\b/.test(command);
    return [
      command,
      ...(inventory !== undefined && needsInventory ? ['-i', quote(inventory)] : []),
      ...(stateDir !== undefined && !/ --state-dir\b/.test(command) ? ['--state-dir', quote(stateDir)] : []),
    ].join(' ');
  });
}

/** An error with its hint completed so; null stays null. */
export function carryHint<E extends { readonly hint?: string | null } | null>(error: E, places?: Places): E {
  return error?.hint ? { ...error, hint: carryPlaces(error.hint, places) } : error;
}
