import type { DoubtSeen } from '../engine/evidence.ts';
import { plural } from '../lib/text.ts';
import { oneLine, table, wrapText } from './layout.ts';
import { createPaint, type Page } from './paint.ts';

type Seen = Pick<DoubtSeen, 'attempt' | 'verdict' | 'hosts' | 'facts'>;
type Command = NonNullable<Seen['hosts'][number]['commands']>[number];

/** What tells how a step in doubt stands: per host what its attempt left, per fact what it was, was to be, and is; then the verdict. */
export function evidenceLines({ attempt, verdict, hosts, facts }: Seen, page: Page): string[] {
  const paint = createPaint(page);
  const left = table(hosts.map(({ host, commands }) => [`  ${host}`, `attempt ${attempt}: ${commandWords(commands)}`]));
  const told = facts.flatMap(({ host, key, before, planned, now, stands }) => {
    const move = planned === null ? `was ${oneLine(before)}` : `${oneLine(before)} -> ${oneLine(planned)}`;
    return wrapText(`${oneLine(key)} on ${host}: ${move}; now ${oneLine(now)} (${STANDS[stands]})`, page.width - 2);
  });
  return [
    ...left.flatMap((line) => wrapText(line, page.width)),
    ...told.map((line) => `  ${line}`),
    `  ${paint.warn(VERDICTS[verdict])}`,
  ];
}

/** What an attempt left on a host, in a line. */
function commandWords(commands: readonly Command[] | null): string {
  if (commands === null) return 'never opened here';
  if (commands.length === 0) return 'opened, nothing was run';
  const shown = commands.slice(0, 8).map(({ name, state, code, why }) => {
    if (state === 'running') return `${name} still runs`;
    if (state === 'exited') return `${name} ended with exit code ${code ?? 'unknown'}`;
    return `${name} left no exit code${why ? ` (${why})` : ''}`;
  });
  return [...shown, ...(commands.length > 8 ? [`and ${plural(commands.length - 8, 'command')} more`] : [])].join(', ');
}

const STANDS: { readonly [S in Seen['facts'][number]['stands']]: string } = {
  'as-planned': 'as planned',
  'as-before': 'as before',
  otherwise: 'neither as it was nor as foreseen',
};

const VERDICTS: { readonly [V in Seen['verdict']]: string } = {
  running: 'It still runs: it is joined, not started again.',
  ended: 'All its commands have ended: what they left is gathered, and none is run again.',
  done: 'It is done.',
  'not-done': 'It is not done: a new attempt does it.',
  partly: 'It is partly done: a new attempt does the rest; what undoes it is on record.',
  untold: 'No fact tells whether it is done: a new attempt does it again.',
  blocked: 'It cannot be gone on with on what is there now.',
};
