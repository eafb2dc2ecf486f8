import { mustRun, runCommand } from './command.ts';
import { LabError } from './lab-error.ts';
import { withLock } from './lock.ts';

type Route = { dst: string };

/** Makes the lab's bridge with the first address of its /24 and brings it up. It may be there already. */
export async function raiseBridge(bridge: string, subnet: string): Promise<void> {
  const existing = await runCommand(['ip', 'link', 'show', bridge]);
  if (existing.code !== 0) await mustRun(['ip', 'link', 'add', bridge, 'type', 'bridge'], { doing: `make the bridge ${bridge}` });
  await mustRun(['ip', 'addr', 'replace', `${subnet}.1/24`, 'dev', bridge], { doing: `give ${bridge} its address` });
  await mustRun(['ip', 'link', 'set', bridge, 'up'], { doing: `bring ${bridge} up` });
}

/** Removes the bridge, if it is there. */
export async function dropBridge(bridge: string): Promise<void> {
  await runCommand(['ip', 'link', 'del', bridge]);
}

/**
 * Finds a private /24 that no route of this machine overlaps, takes it by making the lab's bridge in it, and gives `10.x.y`.
 * The first guess comes from the lab's id, so that the same folder gets the same addresses where it can.
 */
export async function takeSubnet(id: string, bridge: string, say: (line: string) => void): Promise<string> {
  return withLock('network', say, async () => {
    const output = await mustRun(['ip', '-j', '-4', 'route', 'show', 'table', 'all'], {
      doing: 'read the routes of this machine',
    });
    const taken = (JSON.parse(output) as Route[]).map((route) => range(route.dst)).filter((found) => found !== undefined);
    const seed = Number.parseInt(id, 16);
    for (let attempt = 0; attempt < 4096; attempt++) {
      const number = (seed + attempt * 257) & 0xffff;
      const subnet = `10.${64 + ((number >> 8) % 128)}.${number & 0xff}`;
      const [first, last] = range(`${subnet}.0/24`) as [number, number];
      if (taken.some(([low, high]) => low <= last && first <= high)) continue;
      await raiseBridge(bridge, subnet);
      return subnet;
    }
    throw new LabError('No private 10.x.y.0/24 is free on this machine. Nothing was started.', 'ip route');
  });
}

/** First and last address of a route's destination; undefined for the default route, which covers everything on purpose. */
function range(destination: string): [number, number] | undefined {
  const [address = '', bits = '32'] = destination.split('/');
  const parts = address.split('.').map(Number);
  if (parts.length !== 4 || parts.some(Number.isNaN) || bits === '0') return undefined;
  const first = parts.reduce((sum, part) => sum * 256 + part, 0);
  return [first, first + 2 ** (32 - Number(bits)) - 1];
}
