import { createHash } from 'node:crypto';
import { ArchiveFault } from './archive-fault.ts';
import { DATABASES, FILES, HASH_LISTS, PARTS, plainName } from './backup-layout.ts';
import type { Bytes } from './byte-source.ts';
import { decompress } from './decompress.ts';
import { lookAtDump } from './look-at-dump.ts';
import { lookAtFiles } from './look-at-files.ts';
import type { SeenBackup, SeenDump, SeenFiles, SeenMember } from './seen-backup.ts';
import { readTar, type TarMember } from './tar-reader.ts';
import { textOf } from './text-of.ts';

const MAX_MEMBERS = 1000;
/** Zeros a sparse member may stand for: more than this no dump has, and going through them would take an hour. */
const MAX_HOLES = 2 ** 40;
const TEXTS: readonly string[] = [...PARTS, ...HASH_LISTS];

/** Reads an archive of engine-backup once, from its first byte to its last, in constant memory; nothing of it is unpacked or run. */
export async function lookAtBackup(archive: Bytes, options: { readonly pgRestore?: string } = {}): Promise<SeenBackup> {
  const members: SeenMember[] = [];
  const texts = new Map<string, string>();
  const dumps: SeenDump[] = [];
  let files: SeenFiles | null = null;
  let compressor: SeenBackup['compressor'] = 'none';
  let fault: ArchiveFault | null = null;
  try {
    const opened = await decompress(archive);
    compressor = opened.compressor;
    for await (const member of readTar(opened.bytes)) {
      if (members.length >= MAX_MEMBERS)
        throw new ArchiveFault(`it has more than ${MAX_MEMBERS} members; one of engine-backup has ten`);
      const name = plainName(member.name);
      const hashed = hashing(member);
      const isFirst = member.type === 'file' && !members.some((one) => one.name === name);
      if (isFirst && TEXTS.includes(name)) texts.set(name, await textOf(hashed.body));
      else if (isFirst && name === FILES) files = await lookAtFiles(hashed.body);
      else if (isFirst && member.sizeBytes > 0 && DATABASES.some((one) => one.member === name))
        dumps.push(await lookAtDump(name, hashed.body, options.pgRestore));
      const { type, sizeBytes, mode, owner, group, link } = member;
      const seen = { name: name === '.' ? name : plainName(member.name), type, sizeBytes, mode, owner, group, link };
      members.push({ ...seen, ...(await hashed.end()) });
    }
  } catch (thrown) {
    if (!(thrown instanceof ArchiveFault)) throw thrown;
    fault = thrown;
  }
  return { compressor, members, texts, dumps, files, fault };
}

/** The body of a member, hashed as it goes by, whoever reads it and how far; `end` reads what is left. */
function hashing({ name, type, holeBytes, body }: TarMember) {
  if (type !== 'file') return { body, end: async () => ({ sha256: null, md5: null }) };
  if (holeBytes > MAX_HOLES) throw new ArchiveFault(`${name} claims ${holeBytes} bytes of holes`);
  const [sha256, md5] = [createHash('sha256'), createHash('md5')];
  const through = (async function* () {
    for await (const piece of body) {
      sha256.update(piece);
      md5.update(piece);
      yield piece;
    }
  })();
  return {
    // Whoever stops early must not end it: the rest still counts.
    body: { [Symbol.asyncIterator]: () => ({ next: () => through.next() }) },
    async end() {
      while (!(await through.next()).done);
      return { sha256: sha256.digest('hex'), md5: md5.digest('hex') };
    },
  };
}
