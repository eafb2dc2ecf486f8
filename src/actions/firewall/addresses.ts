import { isIP, isIPv6 } from 'node:net';

/** An IP address or network as firewalls print it: IPv6 shortened, a network by its first address; null for anything else. */
export function plainSource(text: string): string | null {
  const [address = '', given, more] = text.split('/');
  const family = isIP(address);
  const width = family === 6 ? 128 : 32;
  const prefix = given === undefined ? width : Number(given);
  if (family === 0 || more !== undefined || (given !== undefined && !/^\d{1,3}$/.test(given)) || prefix > width) return null;
  const bits = bitsOf(address);
  const masked = prefix === 0 ? 0n : (bits >> BigInt(width - prefix)) << BigInt(width - prefix);
  const plain = family === 6 ? shortIPv6(masked) : [24n, 16n, 8n, 0n].map((shift) => (masked >> shift) & 255n).join('.');
  return prefix === width ? plain : `${plain}/${prefix}`;
}

/** Addresses that never come in from outside. */
export function isLoopback(address: string): boolean {
  return address.startsWith('127.') || address === '::1';
}

function bitsOf(address: string): bigint {
  if (!isIPv6(address)) return address.split('.').reduce((sum, part) => (sum << 8n) + BigInt(part), 0n);
  const plain = new URL(`http://[${address}]/`).hostname.slice(1, -1);
  const [head = '', tail] = plain.split('::');
  const groups = (text: string | undefined) => (text ? text.split(':') : []);
  const [left, right] = [groups(head), groups(tail)];
  const all =
    tail === undefined ? left : [...left, ...Array.from({ length: 8 - left.length - right.length }, () => '0'), ...right];
  return all.reduce((sum, group) => (sum << 16n) + BigInt(`0x${group}`), 0n);
}

function shortIPv6(bits: bigint): string {
  const groups = Array.from({ length: 8 }, (_, index) => ((bits >> BigInt(112 - index * 16)) & 0xffffn).toString(16));
  return new URL(`http://[${groups.join(':')}]/`).hostname.slice(1, -1);
}
