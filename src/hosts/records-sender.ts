import { FerryError } from '../errors/ferry-error.ts';
import type { RecordsAfter, RecordsPart } from './journal-copy.ts';

/** Others of this process may add records to the same copy in between; more often than that it is no chance. */
const TRIES = 20;

/** Remembers how many records of a run each host has, so that each goes there once. */
export class RecordsSender {
  readonly #held = new Map<string, number>();

  /** Takes note of what a host was found to have. */
  learn(host: string, run: string, count: number): void {
    this.#held.set(`${host}/${run}`, count);
  }

  /**
   * Gives `send` the records that the host lacks, and returns the words it answers with. A host that turns out to have others than thought is
   * asked again with what it lacks.
   * @throws JOURNAL_FORKED when it has a record that this journal has not
   */
  async send(
    host: string,
    run: string,
    records: RecordsAfter | undefined,
    send: (part: RecordsPart | null) => Promise<string>,
  ): Promise<string> {
    if (!records) return send(null);
    for (let tries = 1; tries <= TRIES; tries += 1) {
      const before = this.#held.get(`${host}/${run}`) ?? 0;
      const { previous, lines } = records(before);
      const text = lines.map((line) => `${line}\n`).join('');
      const words = await send({ run, text, first: before + 1, previous });
      const [word, number] = words.split(' ');
      if (word === 'forked') throw new FerryError('JOURNAL_FORKED', { host, run, seq: Number(number) });
      if (word !== 'has') {
        this.learn(host, run, before + lines.length);
        return words;
      }
      const has = Number(number);
      // Asked now: what it has may be on record since this attempt began.
      const known = before + records(before).lines.length;
      if (has > known) throw new FerryError('JOURNAL_FORKED', { host, run, seq: known + 1 });
      this.learn(host, run, has);
    }
    throw new FerryError('INTERNAL', { what: `the records of ${run} on ${host} change faster than they can be added to` });
  }
}
