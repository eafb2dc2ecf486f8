import type { Diagnostic } from '../errors/diagnostic.ts';
import { finding } from '../errors/finding.ts';
import { type LineFault, parseBackupConfig } from './backup-config.ts';
import { DATABASES, FILES, HASH_LISTS, type HashList, PARTS, unsafeName } from './backup-layout.ts';
import { parseHashList } from './hash-list.ts';
import type { SeenBackup, SeenDump, SeenFiles, SeenMember } from './seen-backup.ts';

/** What an archive is worth, from what was seen of it; pure. Findings in the order of an archive: as a whole, its parts, its contents. */
export interface Judgement {
  readonly hashList: HashList | null;
  readonly config: ReadonlyMap<string, string>;
  /** By name of member: what the list of hashes says of it; null where it lists none, as for folders. */
  readonly hashes: ReadonlyMap<string, 'right' | 'wrong' | 'unlisted'>;
  readonly findings: readonly Diagnostic[];
}

export function judgeBackup(file: string, seen: SeenBackup): Judgement {
  const list = HASH_LISTS.find((one) => seen.texts.has(one)) ?? null;
  const listed = list ? parseHashList(seen.texts.get(list) ?? '', list) : { hashes: new Map<string, string>(), faults: [] };
  const { values, faults } = parseBackupConfig(seen.texts.get('config') ?? '');
  const hashes = new Map(
    seen.members
      .filter(({ type, name }) => type === 'file' && name !== list)
      .map((member) => [member.name, hashOf(member, list, listed.hashes)] as const),
  );
  // The one fault of an archive that was cut is the cut.
  const cut = seen.fault ? seen.members.at(-1)?.name : undefined;
  const findings = [
    ...(seen.fault ? [unread(file, seen)] : []),
    ...seen.members.flatMap((member, index) => memberFindings(member, seen.members.slice(0, index))),
    ...partFindings(seen, list),
    ...refused(faults, 'BACKUP_CONFIG_REFUSED'),
    ...refused(listed.faults, 'BACKUP_HASHES_WRONG'),
    ...[...hashes].flatMap(([member, verdict]) => (member === cut ? [] : hashFinding(member, verdict, list))),
    // What was cut off may have stood behind the cut.
    ...[...listed.hashes.keys()]
      .filter((name) => !seen.fault && !seen.members.some((member) => member.name === name))
      .map((member) => finding('BACKUP_MEMBER_MISSING', { member, why: `${list} lists it` })),
    ...seen.dumps.flatMap((dump) => (dump.member === cut ? [] : dumpFindings(dump, values))),
    ...(seen.files ? filesFindings(seen.files, seen.fault ? null : seen.members) : []),
  ];
  return { hashList: list, config: values, hashes, findings };
}

function unread(file: string, { fault, members }: SeenBackup): Diagnostic {
  const after = members.length === 0 ? '' : `; the last member there is ${members.at(-1)?.name}`;
  return finding(fault?.isOurs ? 'BACKUP_UNREAD' : 'BACKUP_BROKEN', { file, why: `${fault?.message}${after}` });
}

function memberFindings(member: SeenMember, before: readonly SeenMember[]): Diagnostic[] {
  const { name, type } = member;
  const why =
    unsafeName(name) ?? (type === 'file' || type === 'folder' ? null : `it is a ${type}, where only files and folders belong`);
  if (why !== null) return [finding('BACKUP_MEMBER_UNSAFE', { member: name, why })];
  return before.some((one) => one.name === name) ? [finding('BACKUP_MEMBER_TWICE', { member: name })] : [];
}

function partFindings(seen: SeenBackup, list: HashList | null): Diagnostic[] {
  // What was cut off may have stood behind the cut.
  if (seen.fault) return [];
  const has = (name: string) => seen.members.some((member) => member.name === name && member.type === 'file');
  const missing = PARTS.filter((part) => !has(part) && part !== 'os_version').map((member) =>
    finding('BACKUP_MEMBER_MISSING', { member, why: 'every archive of engine-backup has it' }),
  );
  const lists = list
    ? []
    : [
        finding('BACKUP_MEMBER_MISSING', {
          member: 'sha256sum',
          why: 'without it, nor md5sum, nothing proves what is there',
        }),
      ];
  const contents = [FILES, ...DATABASES.map(({ member }) => member)];
  const empty = seen.members
    .filter(({ name, sizeBytes }) => contents.includes(name) && sizeBytes === 0)
    .map(({ name }) => finding('BACKUP_MEMBER_EMPTY', { member: name }));
  const nothing = contents.some(has)
    ? []
    : [finding('BACKUP_MEMBER_MISSING', { member: 'a database or the files', why: 'there is nothing to restore' })];
  return [...missing, ...lists, ...empty, ...nothing];
}

function refused(faults: readonly LineFault[], code: 'BACKUP_CONFIG_REFUSED' | 'BACKUP_HASHES_WRONG'): Diagnostic[] {
  return faults.slice(0, 5).map(({ line, why }) => finding(code, { line, why }));
}

function hashOf(member: SeenMember, list: HashList | null, listed: ReadonlyMap<string, string>): 'right' | 'wrong' | 'unlisted' {
  const expected = listed.get(member.name);
  if (list === null || expected === undefined) return 'unlisted';
  return (list === 'sha256sum' ? member.sha256 : member.md5) === expected ? 'right' : 'wrong';
}

function hashFinding(member: string, verdict: 'right' | 'wrong' | 'unlisted', list: HashList | null): Diagnostic[] {
  if (verdict === 'wrong') return [finding('BACKUP_HASH_WRONG', { member, list: list ?? '' })];
  return verdict === 'unlisted' && list !== null ? [finding('BACKUP_MEMBER_UNLISTED', { member, list })] : [];
}

function dumpFindings(dump: SeenDump, config: ReadonlyMap<string, string>): Diagnostic[] {
  const { member, fault } = dump;
  const words = DATABASES.find((one) => one.member === member);
  const said = (what: 'FORMAT' | 'COMPRESSOR') =>
    words?.prefix == null ? undefined : config.get(`${words.prefix}DB_DUMP_${what}`);
  const format = said('FORMAT');
  const compressor = said('COMPRESSOR') || 'none';
  const found = `${dump.format}${dump.compressor === 'none' ? '' : `, ${dump.compressor}`}`;
  const differs = format !== undefined && (format !== dump.format || compressor !== dump.compressor);
  const told = `${format}${compressor === 'none' ? '' : `, ${compressor}`}`;
  return [
    ...(fault && !fault.isOurs ? [finding('BACKUP_DUMP_DAMAGED', { member, why: fault.message })] : []),
    ...(fault?.isOurs
      ? [finding('BACKUP_DUMP_UNPROVEN', { member, why: fault.message }, undefined, { severity: 'warning' })]
      : []),
    ...(differs && !(fault && dump.format === 'unknown') ? [finding('BACKUP_CONFIG_DIFFERS', { member, told, found })] : []),
  ];
}

/** `members` is null where not all of them can be known. */
function filesFindings(files: SeenFiles, members: readonly SeenMember[] | null): Diagnostic[] {
  const { unsafe, foreign, fault } = files;
  const more = (count: number, shown: number) => (count > shown ? `, and ${count - shown} more` : '');
  const missing = DATABASES.filter(
    ({ key, member }) => members && key !== null && files.enabled.includes(key) && !members.some(({ name }) => name === member),
  );
  const warning = { severity: 'warning' } as const;
  return [
    ...(fault
      ? [
          finding(
            fault.isOurs ? 'BACKUP_DUMP_UNPROVEN' : 'BACKUP_DUMP_DAMAGED',
            { member: FILES, why: fault.message },
            undefined,
            fault.isOurs ? warning : {},
          ),
        ]
      : []),
    ...unsafe.first.map(({ name, why }) => finding('BACKUP_MEMBER_UNSAFE', { member: `${FILES}: ${name}`, why })),
    ...(foreign.count === 0
      ? []
      : [
          finding(
            'BACKUP_FILES_FOREIGN',
            { count: foreign.count, list: `${foreign.first.join(', ')}${more(foreign.count, foreign.first.length)}` },
            undefined,
            warning,
          ),
        ]),
    ...missing.map(({ title, key }) => finding('BACKUP_DATABASE_MISSING', { title, key: key ?? '' }, undefined, warning)),
  ];
}
