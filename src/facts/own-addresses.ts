import { sh } from '../hosts/sh.ts';
import { defineFact, unreadable, value } from './fact.ts';

/**
 * The IP addresses a host has itself, loopback ones left out: by the kernel's own tables, so nothing need be installed.
 * IPv6 ones stand in full.
 */
export const ownAddresses = defineFact<[], readonly string[]>({
  kind: 'ownAddresses',
  class: 'measure',
  script: () => sh`grep -E '[|]-- |host LOCAL' /proc/net/fib_trie; cut -c1-32 /proc/net/if_inet6 2>/dev/null; exit 0`,
  parse(answer) {
    const found = new Set<string>();
    let last = '';
    for (const line of answer.stdout.split('\n')) {
      last = /\|-- ([\d.]+)/.exec(line)?.[1] ?? last;
      if (line.includes('host LOCAL')) found.add(last);
      if (/^[\da-f]{32}$/.test(line)) found.add((line.match(/.{4}/g) ?? []).join(':'));
    }
    const own = [...found].filter((address) => !address.startsWith('127.') && !/^(0000:){7}0001$/.test(address));
    return own.length > 0 ? value(own.sort()) : unreadable('the kernel tells none');
  },
  show: (published) => (published as unknown as readonly string[]).join(', '),
});
