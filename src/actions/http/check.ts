import { z } from 'zod';
import { FerryError, isFerryError } from '../../errors/ferry-error.ts';
import { poll } from '../../lib/clock.ts';
import { cutEnd, printable } from '../../lib/text.ts';
import { check, defineAction } from '../action.ts';
import { unknown } from '../outputs.ts';
import { duration, toMs } from '../params.ts';
import { fetchPage, type Page, targetOf } from './fetch-page.ts';

export default defineAction({
  summary: 'Wait until a page answers, with a status and a text, as seen from the host of the step.',
  description:
    'The connection is made by the host of the step, through no proxy. Redirects are answers like others and are not followed.',
  params: z.strictObject({
    url: z
      .string()
      .regex(/^https?:\/\/[^\s/?#@]+([/?#]\S*)?$/, 'write an http or https address without a user name')
      .describe('The address of the page.'),
    text: z.string().optional().describe('Text that must be in the answer.'),
    status: z.int().min(100).max(599).default(200).describe('The status it must have.'),
    timeout: duration().default('2m').describe('How long to wait for that.'),
    interval: duration().default('2s').describe('The pause between two tries.'),
    trustAny: z.boolean().default(false).describe('Take any certificate; for an engine with a certificate authority of its own.'),
  }),
  outputs: { status: 'The status of the answer.', body: 'The answer, its first 4096 characters.' },
  facts: () => ({}),
  touches: (_, role) => ({ effects: [{ does: 'prove', role }] }),
  plan: ({ url, text, status }) =>
    check(`${url} answers ${status}${text === undefined ? '' : ` "${text}"`}`, {
      outputs: { status, body: unknown('the answer') },
    }),
  async apply({ on, params, ctx }) {
    const { url, text, status, timeout, interval, trustAny } = params;
    const { address, port } = targetOf(url);
    let last = 'it was not asked';
    const page = await poll(
      async (): Promise<Page | undefined> => {
        ctx.progress({ note: `${last}; asked for ${timeout} at most` });
        try {
          const stream = await on.connect(address, port, 10_000);
          const found = await fetchPage(url, stream, { timeoutMs: 10_000, trustAny });
          last = `got ${found.status} ${JSON.stringify(cutEnd(printable(found.body).trim(), 200))}`;
          return found.status === status && (text === undefined || found.body.includes(text)) ? found : undefined;
        } catch (thrown) {
          if (isFerryError(thrown) && thrown.code !== 'CONNECT_REFUSED') throw thrown;
          last = isFerryError(thrown, 'CONNECT_REFUSED') ? thrown.args.why : (thrown as Error).message;
          return undefined;
        }
      },
      { timeoutMs: toMs(timeout), intervalMs: toMs(interval), signal: ctx.signal },
    );
    if (page) return { status: page.status, body: cutEnd(page.body, 4096) };
    const wanted = `${status}${text === undefined ? '' : ` with "${text}"`}`;
    throw new FerryError('CHECK_FAILED', { what: `${url} answering ${wanted}`, host: on.name, why: `${last} (for ${timeout})` });
  },
  examples: [
    {
      title: 'The engine is up and has its database',
      with: { url: 'http://engine.example.com/ovirt-engine/services/health', text: 'DB Up!', timeout: '10m' },
    },
  ],
});
