import { BlockList, isIPv6 } from 'node:net';
import { z } from 'zod';
import { ownAddresses } from '../../facts/own-addresses.ts';
import { resolvedName } from '../../facts/resolved-name.ts';
import { blocked, check, defineAction } from '../action.ts';
import { hostAddress, role } from '../params.ts';

export default defineAction({
  summary: 'Check that an address, as the host of the step resolves it, is that of the machine which plays a role.',
  description:
    'Told by facts alone, so a plan is blocked when it does not hold. Every IP address the name means must be one of that machine; a loopback address means the host of the step itself. It says nothing of ports, and cannot see through a proxy, a load balancer or address translation: leave the step out there.',
  params: z.strictObject({
    address: hostAddress().describe('Name or address, as a program on the host of the step would use it.'),
    host: role().describe('Role of the machine it must lead to.'),
    hint: z.string().optional().describe('What else to say to a person where it does not hold.'),
  }),
  outputs: { addresses: 'IP addresses it means.' },
  roles: (params) => [params.host],
  facts: ({ host, hostOf }, params) => ({
    meant: resolvedName(params.address).on(host.name),
    own: ownAddresses().on(hostOf(params.host).name),
    near: ownAddresses().on(host.name),
  }),
  touches: (_, here) => ({ effects: [{ does: 'prove', role: here }] }),
  plan(params, { meant, own, near }, { host, hostOf }) {
    const { address } = params;
    const server = hostOf(params.host);
    const more = params.hint === undefined ? '' : ` ${params.hint}`;
    if (!meant.value)
      return blocked(
        `"${address}" means no IP address on ${host.name}`,
        `Try:  getent ahosts ${address}   on ${host.name}.${more}`,
      );
    if (!own.value)
      return blocked(`the IP addresses of ${server.name} cannot be read`, `Look at /proc/net/fib_trie on ${server.name}.${more}`);
    const isOwn = among(own.value);
    const isNear = among(near.value ?? []);
    // Bridges of containers and virtual machines have the same address on many hosts: near the asking one it means that one.
    const isHere = (one: string) => isLoopback(one) || isNear(one);
    const foreign = meant.value.filter((one) => (isHere(one) ? host.name !== server.name : !isOwn(one)));
    if (foreign.length === 0) return check(`${address} is ${server.name}`, { outputs: { addresses: [...meant.value] } });
    return blocked(
      `"${address}" is ${names(foreign, isHere, host.name)}, not ${server.name}, which plays ${params.host}`,
      `Say which host it is:  --role ${params.host}=HOST${more}`,
    );
  },
  examples: [
    {
      title: 'The database the engine uses is on the machine it will be taken from',
      with: { address: 'localhost', host: 'old_db' },
    },
  ],
});

/** The machine itself by its name, others by their addresses. */
function names(addresses: readonly string[], isHere: (one: string) => boolean, here: string): string {
  return [...new Set(addresses.map((one) => (isHere(one) ? `${here} itself` : one)))].join(', ');
}

/** Whether an IP address is among some, however it is written. */
function among(addresses: readonly string[]): (address: string) => boolean {
  const list = new BlockList();
  for (const address of addresses) list.addAddress(address, familyOf(address));
  return (address) => list.check(address, familyOf(address));
}

function isLoopback(address: string): boolean {
  return /^127\.|^::1$|^::ffff:127\./i.test(address);
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIPv6(address) ? 'ipv6' : 'ipv4';
}
