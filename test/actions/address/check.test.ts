import { expect, test } from 'vitest';
import action from '../../../src/actions/address/check.ts';
import { ownAddresses } from '../../../src/facts/own-addresses.ts';
import { resolvedName } from '../../../src/facts/resolved-name.ts';
import { factOf, siteOf } from '../../kit/facts.ts';

const params = { address: 'db.example.com', host: 'old_db' };

function planOf(
  meant: readonly string[] | undefined,
  own: readonly string[] | undefined,
  more: { server?: string; near?: readonly string[] } = {},
) {
  const server = more.server ?? 'newdb';
  return action.plan(
    action.params.parse({ ...params, hint: 'Or leave it out.' }),
    {
      meant: factOf(resolvedName(params.address).on('engine'), meant),
      own: factOf(ownAddresses().on(server), own),
      near: factOf(ownAddresses().on('engine'), server === 'engine' ? own : more.near),
    },
    siteOf('engine', { old_db: { ...siteOf().host, name: server } }),
  );
}

test.each([
  { given: params, good: true },
  { given: { ...params, address: '2001:db8::1' }, good: true },
  { given: { address: 'db.example.com' }, good: false },
  { given: { ...params, address: 'db.example.com/x' }, good: false },
  { given: { ...params, address: '--help' }, good: false },
])('address.check takes only params it can work with: $given', ({ given, good }) => {
  expect(action.params.safeParse(given).success).toBe(good);
});

test.each([
  ['its only address', planOf(['192.0.2.2'], ['192.0.2.2'])],
  ['both of its addresses', planOf(['192.0.2.2', '2001:db8::2'], ['192.0.2.2', '2001:0db8:0000:0000:0000:0000:0000:0002'])],
  ['one of many', planOf(['192.0.2.2'], ['10.0.0.1', '172.17.0.1', '192.0.2.2'])],
  ['the loopback of the host that asks', planOf(['127.0.0.1', '::1'], ['192.0.2.1'], { server: 'engine' })],
  ['another name of the host that asks', planOf(['127.0.1.1'], ['192.0.2.1'], { server: 'engine' })],
  ['the address of the host that asks', planOf(['192.0.2.1'], ['192.0.2.1'], { server: 'engine' })],
])('holds for %s', (_, planned) => {
  expect(planned.kind).toBe('check');
});

test.each([
  [
    'an address of another machine',
    planOf(['192.0.2.3'], ['192.0.2.2']),
    '"db.example.com" is 192.0.2.3, not newdb, which plays old_db',
  ],
  [
    'a name for two machines',
    planOf(['192.0.2.2', '192.0.2.3'], ['192.0.2.2']),
    '"db.example.com" is 192.0.2.3, not newdb, which plays old_db',
  ],
  [
    'the loopback, which the server has as well',
    planOf(['127.0.0.1', '::1'], ['192.0.2.2', '127.0.0.1']),
    '"db.example.com" is engine itself, not newdb, which plays old_db',
  ],
  [
    'the address of a bridge that both have',
    planOf(['172.17.0.1'], ['172.17.0.1'], { near: ['172.17.0.1'] }),
    '"db.example.com" is engine itself, not newdb, which plays old_db',
  ],
  ['a name that means nothing', planOf(undefined, ['192.0.2.2']), '"db.example.com" means no IP address on engine'],
  ['a server that does not tell its addresses', planOf(['192.0.2.2'], undefined), 'the IP addresses of newdb cannot be read'],
])('is blocked for %s, and says what else to do', (_, planned, summary) => {
  expect(planned).toMatchObject({ kind: 'blocked', summary, hint: expect.stringMatching(/ Or leave it out\.$/) });
});
