import type { Event } from '../engine/events.ts';
import type { GateView } from '../engine/gate-view.ts';
import type { RunState } from '../engine/state.ts';
import { carryPlaces, type Places } from '../errors/carry-places.ts';
import { diffLines } from './diff.ts';
import { besideWord, moment, oneLine, wrapText } from './layout.ts';
import { createPaint, type Page, type Paint } from './paint.ts';
import { shown } from './shown.ts';

/** What a person answers who answers the question before a step: the question, and what the step would do. */
export function gateText(view: GateView, page: Page): string {
  const { run, step, host, question, summary, diff, undo, digest, askedAt } = shown(view);
  const paint = createPaint(page);
  return [
    `${paint.strong(`${host}  ${step}`)}   ${run}   ${askedAt ? `asked ${moment(askedAt)}` : 'not asked yet: this is its line in the plan'}${digest ? paint.quiet(`   ${digest.slice(0, 8)}`) : ''}`,
    ...wrapText(question, page.width - 2).map((line) => `  ${paint.accent(line)}`),
    ...wrapText(`step: ${oneLine(summary)}`, page.width - 2).map((line) => `  ${line}`),
    ...(undo ? wrapText(`undo: ${oneLine(undo)}`, page.width - 2).map((line) => `  ${paint.quiet(line)}`) : []),
    ...diffLines(diff, 4, page.width, paint),
  ].join('\n');
}

/** The questions before steps, for the screen of a run: who waits for what, and who answered. */
export function gateLines({ run, gates }: RunState, page: Page, paint: Paint): string[] {
  const told = (text: string, brush: (line: string) => string) => besideWord('gate', text, page.width, brush);
  return Object.entries(gates).flatMap(([step, { asked, answer, used, stale }]) => {
    const lines: string[] = [];
    if (stale && stale.verdict !== 'rejected') {
      const given = `${step}: what ${stale.by} approved, ${moment(stale.at)}, is not what it would do now; it asks again`;
      lines.push(...told(given, paint.quiet));
    }
    // Commands are never wrapped, so that they can be copied.
    const command = (verb: string) => `         ${paint.command(`ferry ${verb} ${run} ${step}`)}`;
    if (answer) {
      const isNo = answer.verdict === 'rejected';
      const comment = answer.comment ? ` (${oneLine(answer.comment)})` : '';
      const brush = isNo ? paint.bad : used ? paint.quiet : paint.good;
      lines.push(...told(`${step}: ${answer.verdict} by ${answer.by}, ${moment(answer.at)}${comment}`, brush));
      if (isNo) lines.push(command('approve'));
    } else if (asked) {
      lines.push(...told(`${step} waits for a person since ${moment(asked.at)}: ${oneLine(asked.question)}`, paint.warn));
      lines.push(command('approve'), command('reject'));
    }
    return lines;
  });
}

type Waiting = Extract<Event, { type: 'gate.waiting' }>;
type Answered = Extract<Event, { type: 'gate.answered' }>;

/** That a step waits for a person, and how else than here it can be answered. */
export function waitingWords({ run, step, question, isHeld, until }: Waiting, who: string, places?: Places): string[] {
  const limit = until ? `, until ${moment(until)}` : '';
  return [
    `${who}waits for a yes${limit}: ${oneLine(question)}`,
    ...(isHeld ? [carryPlaces(`from elsewhere: ferry approve ${run} ${step}   or   ferry reject ${run} ${step}`, places)] : []),
  ];
}

/** Who answered, and when. */
export function answerWords({ verdict, by, answeredAt, comment }: Answered): string {
  return `${verdict} by ${by}, ${moment(answeredAt)}${comment ? ` (${oneLine(comment)})` : ''}`;
}
