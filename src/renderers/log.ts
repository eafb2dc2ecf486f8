import type { JournalRecord } from '../journal/journal.ts';
import { clip, moment, oneLine } from './layout.ts';
import { createPaint, type Page } from './paint.ts';
import { shown as fit } from './shown.ts';

/** The records of a run, one line each; those of one step when its id is given. */
export function logText(records: readonly JournalRecord[], step: string | undefined, page: Page): string {
  const paint = createPaint(page);
  const shown = fit(step === undefined ? records : records.filter((record) => record.step === step));
  const typeWidth = Math.max(0, ...shown.map((record) => record.type.length));
  return shown
    .map((record) => {
      const head = `${String(record.seq).padStart(5)}  ${moment(record.at)}  `;
      const where = [record.step, record.host].filter((part) => part !== null).join(' on ');
      const told = [where, oneLine(bodyWords(record))].filter((part) => part !== '').join(': ');
      const line = `${record.type.padEnd(typeWidth)}  ${clip(told, Math.max(40, page.width - head.length - typeWidth - 2))}`;
      return `${paint.quiet(head)}${record.type.includes('failed') ? paint.bad(line) : line}`.trimEnd();
    })
    .join('\n');
}

/** What a record says, in short: its text where it has one, else its members without the bulky ones. */
function bodyWords({ body }: JournalRecord): string {
  const error = body.error;
  if (error && typeof error === 'object' && !Array.isArray(error)) return `${error.code ?? ''}: ${error.message ?? ''}`;
  if (typeof body.summary === 'string') return body.summary;
  return Object.entries(body)
    .filter(([, member]) => member !== null && (typeof member !== 'object' || JSON.stringify(member).length <= 60))
    .map(([name, member]) => `${name}=${typeof member === 'string' ? member : JSON.stringify(member)}`)
    .join(' ');
}
