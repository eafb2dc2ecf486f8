import { z } from 'zod';
import { FerryError, isFerryError } from '../../errors/ferry-error.ts';
import { poll } from '../../lib/clock.ts';
import { check, defineAction } from '../action.ts';
import { duration, hostAddress, portNumber, toMs } from '../params.ts';
import { reachFindings } from '../reach.ts';

export default defineAction({
  summary: 'Wait until a TCP port is open, or closed, as seen from the host of the step.',
  description: 'Nothing is sent. The connection is made by the host that will use the port, so firewalls in between count.',
  params: z.strictObject({
    address: hostAddress().describe('The machine asked, as the host of the step names it.'),
    port: portNumber().describe('Its port.'),
    open: z.boolean().default(true).describe('false waits until nothing answers there.'),
    timeout: duration().default('10s').describe('How long to wait.'),
  }),
  facts: () => ({}),
  touches: (_, role) => ({ effects: [{ does: 'prove', role }] }),
  plan: ({ address, port, open }) => check(`${address} port ${port} is ${open ? 'open' : 'closed'}`),
  preflight({ address, port, open }, ask, { host, hostAt }) {
    if (!open) return {};
    const { isOpen, findings } = reachFindings({ address, port }, ask, host, hostAt(address));
    return {
      findings,
      notes: isOpen || findings.length > 0 ? [] : ['it is not open yet; asked again when this step is reached'],
    };
  },
  async apply({ on, params: { address, port, open, timeout }, ctx }) {
    let last = 'it was not tried';
    const held = await poll(
      async () => {
        ctx.progress({ note: `${last}; tried for ${timeout} at most` });
        try {
          (await on.connect(address, port, Math.min(toMs(timeout), 5000))).destroy();
          last = 'it is open';
          return open ? true : undefined;
        } catch (thrown) {
          if (!isFerryError(thrown, 'CONNECT_REFUSED')) throw thrown;
          last = thrown.args.why;
          return open ? undefined : true;
        }
      },
      { timeoutMs: toMs(timeout), intervalMs: 1000, signal: ctx.signal },
    );
    if (held) return;
    throw new FerryError('CHECK_FAILED', {
      what: `${address} port ${port} ${open ? 'open' : 'closed'}`,
      host: on.name,
      why: `${last} (for ${timeout})`,
    });
  },
  examples: [{ title: 'The engine machine reaches the new database server', with: { address: 'newdb.example.com', port: 5432 } }],
});
