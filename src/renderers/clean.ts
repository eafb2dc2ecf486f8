import { formatBytes } from '../lib/bytes.ts';
import { moment, oneLine, table } from './layout.ts';
import { createPaint, type Page } from './paint.ts';
import { shown } from './shown.ts';

/** What `ferry clean` found or removed, as it tells it. */
export interface CleanView {
  readonly isDone: boolean;
  readonly rows: readonly {
    readonly run: string;
    readonly runbook: string;
    readonly stands: string;
    readonly endedAt: string | null;
    readonly host: string;
    readonly state: 'free' | 'held' | 'busy' | 'plan-only' | 'away' | 'lost';
    readonly bytes: number;
    readonly why?: string | null;
  }[];
  readonly leftovers: readonly {
    readonly host: string;
    readonly run: string;
    readonly kind: 'secrets' | 'key' | 'unit';
    readonly where: string;
  }[];
}

const STATES: { readonly [state: string]: string } = {
  free: '',
  held: 'stays: the run holds the host',
  busy: 'stays: at work',
  'plan-only': 'stays: the login may only plan',
  away: 'stays',
  lost: 'counts as gone',
};
const KINDS: { readonly [kind: string]: string } = { secrets: 'secrets in', key: "a transfer's key in", unit: 'failed unit' };

/** What goes, or went, from which host, and what it frees there. */
export function cleanText(view: CleanView, page: Page): string {
  const { isDone, rows: all, leftovers } = shown(view);
  const paint = createPaint(page);
  const rows = all.filter(({ state, bytes }) => state !== 'free' || bytes > 0);
  if (rows.length + leftovers.length === 0) return 'Nothing to clean: no run that is over has anything on a host.';
  const finished = rows.some(({ stands, bytes, state }) => stands === 'finished' && (bytes > 0 || state === 'lost'));
  const hosts = [...new Set([...rows.filter(({ state }) => state !== 'lost'), ...leftovers].map(({ host }) => host))];
  const freed = hosts.map((host) => {
    const ofHost = rows.filter((row) => row.host === host && row.state === 'free');
    return `${formatBytes(ofHost.reduce((sum, { bytes }) => sum + bytes, 0))} on ${host}`;
  });
  const lines = table(
    rows.map((row) => [
      `  ${row.run}`,
      row.runbook,
      `${row.stands.replace('-', ' ')}${row.endedAt ? ` ${moment(row.endedAt)}` : ''}`,
      row.host,
      row.state === 'free'
        ? formatBytes(row.bytes)
        : `${STATES[row.state] ?? row.state}${row.why ? `: ${oneLine(row.why)}` : ''}`,
    ]),
  );
  return [
    isDone ? 'Removed from the hosts:' : 'To be removed from the hosts:',
    ...lines,
    ...leftovers.map(
      ({ host, run, kind, where }) => `  ${run}  ${host}  ${KINDS[kind] ?? kind} ${oneLine(where)}, left by a dead run`,
    ),
    ...(finished && !isDone ? [paint.warn('A finished run cannot be rolled back any more once this is gone.')] : []),
    ...(freed.length > 0 ? [`${isDone ? 'Freed' : 'Frees'} ${freed.join(', ')}.`] : []),
  ].join('\n');
}
