import { cutMiddle } from '../lib/text.ts';

/** Values a message needs, by name. */
export type ErrorArgs = Readonly<Record<string, string | number>>;

/** One kind of error: what it is, what it says, what to do next, and the exit code it ends Ferry with. */
export interface ErrorEntry<A extends ErrorArgs> {
  /** For the reference: the error in three to six words. */
  readonly title: string;
  /** What happened and why, a sentence or two, no full stop missing. */
  message(args: A): string;
  /** The next command to type, or what to look at. */
  hint?(args: A): string;
  /** 1 failed, 3 paused, 5 refused, 64 usage, 65 bad runbook. */
  readonly exit: 1 | 3 | 5 | 64 | 65;
  /** Values that make an example of the message in the generated reference and in its test. */
  readonly example: A;
}

/** Declares an entry; only there to type its args. */
export function entry<A extends ErrorArgs>(definition: ErrorEntry<A>): ErrorEntry<A> {
  return definition;
}

/** Values as a message takes them: what a host printed may be a megabyte without a line end. */
export function cutArgs(args: ErrorArgs): ErrorArgs {
  return Object.fromEntries(Object.entries(args).map(([name, arg]) => [name, typeof arg === 'string' ? cutMiddle(arg) : arg]));
}
