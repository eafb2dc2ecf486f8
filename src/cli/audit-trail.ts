import type { JournalRecord } from '../journal/journal.ts';
import { formatBytes } from '../lib/bytes.ts';
import type { TrailEntry } from '../renderers/audit.ts';

type Body = JournalRecord['body'];
type Words = (body: Body, record: JournalRecord) => string | null;

// What is between an intent and its end, and which hosts were taken, is in `ferry log`.
const LEFT_OUT = new Set(['lease.taken', 'lease.released', 'step.kept', 'step.applied', 'step.confirmed']);

/** Who did what when, in the order of the records. Of types it does not know it tells what they tell of themselves. */
export function trailOf(records: readonly JournalRecord[]): TrailEntry[] {
  let controller: string | null = null;
  return records.flatMap((record) => {
    const { seq, at, type, body, step, host } = record;
    const by: string | null = typeof body.by === 'string' ? body.by : controller;
    if (type.startsWith('run.') || type.startsWith('rollback.')) controller = by;
    if (LEFT_OUT.has(type)) return [];
    const words = (WORDS[type] ?? unknown)(body, record);
    const about = step === null ? '' : `${step}${host === null ? '' : ` on ${host}`}: `;
    return [{ seq, at, by, what: `${about}${words}` }];
  });
}

const text = (value: unknown, otherwise = ''): string => (typeof value === 'string' ? value : otherwise);
const list = (value: unknown): string => (Array.isArray(value) ? value.map(String).join(', ') : '');
const errorOf = ({ error }: Body): string => {
  const { code, message } = (error ?? {}) as { code?: string; message?: string };
  return code ? `${code}: ${message ?? ''}` : '';
};
const attempt = ({ attempt: count }: Body): string => (Number(count) > 1 ? ` (attempt ${count})` : '');

const WORDS: { readonly [type: string]: Words } = {
  'run.started': ({ plan }) => {
    const { runbook, digest } = (plan ?? {}) as { runbook?: { name?: string }; digest?: string };
    return `began ${runbook?.name ?? 'the run'}, plan ${digest?.slice(0, 8) ?? 'unknown'}`;
  },
  'run.resumed': () => 'went on with it',
  'run.taken-over': ({ from, host, without }, { epoch }) =>
    `took it over from ${text(from, 'another controller')} (epoch ${epoch})${host ? `, rebuilt from the records on ${host}` : ''}${list(without) ? `, without ${list(without)}` : ''}`,
  'run.paused': (body) =>
    typeof body.calledOff === 'string'
      ? `not rolled back by itself: ${body.calledOff}`
      : `paused: ${[text(body.reason), text(body.step), errorOf(body)].filter((part) => part !== '').join(', ')}`,
  'run.finished': () => 'finished',
  'run.refused': (body) => `refused: ${errorOf(body)}`,
  'run.revised': ({ changes, plan }) => {
    const { digest } = (plan ?? {}) as { digest?: string };
    const names = Array.isArray(changes)
      ? (changes as { name?: string; how?: string }[]).map(({ name, how }) => `${name} ${how}`)
      : [];
    return `took the edited runbook (${names.join(', ')}), plan ${digest?.slice(0, 8) ?? 'unknown'}`;
  },
  'run.taken-back': ({ hosts }) => `was taken back before, as ${list(hosts)} told`,
  'run.abandoned': () => 'gave it up for good',
  'rollback.started': ({ to, crosses, steps }) =>
    `began to take it back${to ? ` to checkpoint ${to}` : ''}: ${list(steps)}${crosses === true ? '; what was written since the write line is given up' : ''}`,
  'rollback.finished': ({ proof }) => {
    const lines = Array.isArray(proof) ? (proof as { verdict?: string }[]) : [];
    const count = (verdict: string) => lines.filter((line) => line.verdict === verdict).length;
    return `taken back; of ${lines.length} facts ${count('equal')} are as before, ${count('kept')} kept on purpose, ${count('differs')} differ`;
  },
  'facts.accepted': ({ steps }) => `let ${list(steps)} be planned anew on what other hands had moved`,
  'secrets.rekeyed': ({ secrets, outputs }) =>
    `${Object.keys((secrets ?? outputs ?? {}) as object).join(', ')} cannot be compared with what was given before, and counts from here on`,
  'checkpoint.reached': ({ checkpoint }) => `checkpoint ${checkpoint} reached`,
  'gate.asked': ({ question }) => `asks: ${question}`,
  'gate.confirmed': ({ question, how }) => `answered yes to: ${question}${how ? ` (${how})` : ''}`,
  'gate.approved': ({ question, comment }) => `approved: ${question}${comment ? ` (${comment})` : ''}`,
  'gate.rejected': ({ question, comment }) => `rejected: ${question}${comment ? ` (${comment})` : ''}`,
  'run.cleaned': () => 'let what it kept on its hosts be removed; it cannot be taken back after that',
  'host.cleaned': ({ bytes, lost }, { host }) =>
    lost ? `${host} counted as cleaned: it is lost for good` : `${formatBytes(Number(bytes))} of it removed from ${host}`,
  'notify.failed': ({ notice, target, why }) => `the notice "${notice}" did not arrive at ${target}: ${why}`,
  'step.intended': (body) => `${text(body.summary)}${attempt(body)}`,
  'step.verified': () => 'done',
  'step.checked': ({ summary }) => `checked: ${text(summary)}`,
  'step.unchanged': ({ summary }) => `nothing to do: ${text(summary)}`,
  'step.skipped': ({ reason }) => `left out: ${text(reason, 'its condition does not hold')}`,
  'step.settled': ({ verdict }) => `looked at again after it was cut off: ${text(verdict)}`,
  'step.retried': () => 'let it be tried again',
  'step.marked-done': () => 'called it done by hand, which its facts bear out',
  'step.lost': (body) => `died${attempt(body)}: ${text(body.why)}`,
  'step.failed': (body) => `${body.outcome === 'unknown' ? 'out of sight' : 'failed'}${attempt(body)}: ${errorOf(body)}`,
  'step.undoing': (body) => `being undone${attempt(body)}`,
  'step.undone': () => 'undone',
  'step.undo-owed': (body) => `not undone yet: ${errorOf(body)}`,
  'step.undo-failed': (body) => `could not be undone: ${errorOf(body)}`,
};

/** What a record of another release or part says: its type, and the short texts in it. */
function unknown(body: Body, { type }: JournalRecord): string {
  const told = Object.entries(body).flatMap(([name, value]) =>
    name !== 'by' && (typeof value === 'string' || typeof value === 'number') ? [`${name} ${value}`] : [],
  );
  const error = errorOf(body);
  return [type.replaceAll(/[.-]/g, ' '), [...told, ...(error ? [error] : [])].join(', ')]
    .filter((part) => part !== '')
    .join(': ');
}
