import { sh } from '../hosts/sh.ts';
import { absent, defineFact, unreadable, value } from './fact.ts';

/**
 * The IP addresses a name or address means to a host, as its own programs resolve it (hosts file, DNS, ...); absent when it
 * means none.
 */
export const resolvedName = defineFact<[name: string], readonly string[]>({
  kind: 'resolvedName',
  class: 'measure',
  script: (name) => sh`getent ahosts ${name}`,
  parse(answer) {
    if (answer.code === 2) return absent;
    if (answer.code !== 0) return unreadable(answer.stderr.trim() || `getent ended with exit code ${answer.code}`);
    const addresses = answer.stdout.split('\n').flatMap((line) => line.split(/[\s%]/)[0] || []);
    return addresses.length > 0 ? value([...new Set(addresses)].sort()) : absent;
  },
  show: (published) => (published as unknown as readonly string[]).join(', '),
});
