import type { Event } from '../engine/events.ts';
import { oneLine } from './layout.ts';

type Answered = Extract<Event, { type: 'failure.answered' }>;

/** What a person decided about a step, in a line, and what comes of it, a line each. */
export function answerLines({ answer, by, reason, warnings }: Answered): string[] {
  const why = reason === null ? '' : `: ${oneLine(reason)}`;
  return [`${WORDS[answer]} by ${oneLine(by)}${why}`, ...warnings.map((text) => `  ${oneLine(text)}`)];
}

const WORDS: { readonly [A in Answered['answer']]: string } = {
  retry: 'tried again',
  'mark-done': 'marked done',
  skip: 'skipped',
};
