import { ArchiveFault } from './archive-fault.ts';
import { plainName, SAVED_PATHS, unsafeName } from './backup-layout.ts';
import type { Bytes } from './byte-source.ts';
import { decompress } from './decompress.ts';
import type { Few, SeenFiles } from './seen-backup.ts';
import { readTar, type TarMember } from './tar-reader.ts';
import { textOf } from './text-of.ts';

const SETUP_CONF = /^etc\/ovirt-engine-setup\.conf(\.d\/[^/]+\.conf)?$/;
const ENABLED = /^\s*(OVESETUP_[A-Z_]+_CORE\/enable)\s*=\s*bool:True\s*$/gm;
const MAX_LINKS = 100_000;

/** Reads the archive of the product's files to its end, and says what is in it that should not be unpacked. */
export async function lookAtFiles(body: Bytes): Promise<SeenFiles> {
  const unsafe = few<{ name: string; why: string }>();
  const foreign = few<string>();
  const enabled = new Set<string>();
  const links = new Set<string>();
  const seen = { members: 0, sizeBytes: 0 };
  let compressor: SeenFiles['compressor'] = 'none';
  let fault: ArchiveFault | null = null;
  try {
    const opened = await decompress(body);
    compressor = opened.compressor;
    for await (const member of readTar(opened.bytes)) {
      const name = plainName(member.name);
      seen.members += 1;
      seen.sizeBytes += member.sizeBytes;
      const why =
        unsafeName(member.name) ?? unsafeMember(member) ?? (isBelow(name, links) ? 'it lies behind a link of the archive' : null);
      if (why !== null) unsafe.add({ name: member.name, why });
      else if (!SAVED_PATHS.some((path) => name === path || name.startsWith(`${path}/`))) foreign.add(name);
      if (member.type === 'link' && links.size < MAX_LINKS) links.add(name);
      if (member.type === 'file' && SETUP_CONF.test(name))
        for (const [, key = ''] of (await textOf(member.body)).matchAll(ENABLED)) enabled.add(key);
    }
  } catch (thrown) {
    if (!(thrown instanceof ArchiveFault)) throw thrown;
    fault = thrown;
  }
  return { compressor, ...seen, unsafe, foreign, enabled: [...enabled].sort(), fault };
}

function unsafeMember({ type, link }: TarMember): string | null {
  if (type === 'device') return 'it is a device';
  if (type === 'unknown') return 'it is of a kind that is not known';
  // A link by name leads where it leads when it is followed; a hard link takes hold of a file at once.
  return type === 'hard link' && unsafeName(link ?? '/') ? `it is a hard link to ${link}` : null;
}

function isBelow(name: string, links: ReadonlySet<string>): boolean {
  for (let cut = name.lastIndexOf('/'); cut > 0; cut = name.lastIndexOf('/', cut - 1))
    if (links.has(name.slice(0, cut))) return true;
  return false;
}

function few<T>(): Few<T> & { add(one: T): void } {
  const first: T[] = [];
  return {
    first,
    count: 0,
    add(one) {
      (this as { count: number }).count += 1;
      if (first.length < 5) first.push(one);
    },
  };
}
