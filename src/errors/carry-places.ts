import { quote } from '../lib/quote.ts';

/** Places that were named on the command line, absolute, so that a command can be typed from any folder. */
interface Places {
  readonly stateDir?: string | undefined;
  readonly inventory?: string | undefined;
}

// Verbs that look at runs.
const COMMAND =
  /\bferry (plan|run|resume|rollback|status|runs|log|audit|approve|reject|clean|takeover|unlock)((?: [^\s;]*[^\s;.,)])*)(?![\w-])/g;
// Of these the ones that know no inventory but the one that is named.
const NEEDS_INVENTORY = /^(unlock|takeover)$/;
// What is to be typed on another machine has that machine's places.
const ELSEWHERE = /^(?: {3}or {3}ferry \S+ \S+)? {3}on /;

let places: Places = {};

/** From here on, commands that are told carry these places; what is not named again stays as it is. */
export function usePlaces(more: Places): void {
  places = { ...places, ...more };
}

/**
 * The same text, with each `ferry` command in it completed by the places that were typed for this one: without them it would look
 * at other runs, or connect to other hosts. Every command that is told passes here.
 */
export function carryPlaces(text: string): string {
  return text.replace(COMMAND, (command, verb: string, rest: string, at: number) => {
    if (rest.includes('--help') || ELSEWHERE.test(text.slice(at + command.length))) return command;
    const { stateDir, inventory } = places;
    const isAlone = NEEDS_INVENTORY.test(verb) && (verb !== 'takeover' || rest.includes('--from'));
    const named = (option: RegExp) => option.test(rest);
    return [
      command,
      ...(inventory !== undefined && isAlone && !named(/ (-i|--inventory)\b/) ? ['-i', quote(inventory)] : []),
      ...(stateDir !== undefined && !named(/ --state-dir\b/) ? ['--state-dir', quote(stateDir)] : []),
    ].join(' ');
  });
}

/** An error with its hint completed so; null stays null. */
export function carryHint<E extends { readonly hint: string | null } | null>(error: E): E {
  return error?.hint ? { ...error, hint: carryPlaces(error.hint) } : error;
}
