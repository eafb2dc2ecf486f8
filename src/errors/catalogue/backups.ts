import { entry } from '../entry.ts';

const FILE = '/var/lib/ovirt-engine-backup/engine.backup';
const ANOTHER = 'Take another backup, or another copy of this one: this one must not be restored.';

/** What can be wrong with an archive of engine-backup. */
export const backupErrors = {
  BACKUP_BROKEN: entry<{ file: string; why: string }>({
    title: 'A backup cannot be read',
    message: (a) => `${a.file} cannot be read as an archive of engine-backup: ${a.why}.`,
    hint: () => ANOTHER,
    exit: 1,
    example: { file: FILE, why: 'gzip: unexpected end of file after db/dwh_backup.db' },
  }),
  BACKUP_UNREAD: entry<{ file: string; why: string }>({
    title: 'A backup cannot be read here',
    message: (a) => `Nothing can be said of ${a.file}: ${a.why}.`,
    hint: () => 'Install xz-utils or bzip2 (Debian), xz or bzip2 (Enterprise Linux), then the same command again.',
    exit: 1,
    example: { file: FILE, why: 'there is no program xz here to read it with' },
  }),
  BACKUP_MEMBER_MISSING: entry<{ member: string; why: string }>({
    title: 'A backup lacks a part',
    message: (a) => `The archive has no ${a.member}, and ${a.why}.`,
    hint: () => ANOTHER,
    exit: 1,
    example: { member: 'db/dwh_backup.db', why: 'sha256sum lists it' },
  }),
  BACKUP_MEMBER_UNLISTED: entry<{ member: string; list: string }>({
    title: 'A backup holds what nobody hashed',
    message: (a) => `${a.member} is not in ${a.list}: it was put in afterwards.`,
    hint: () => ANOTHER,
    exit: 1,
    example: { member: 'db/keycloak_backup.db', list: 'sha256sum' },
  }),
  BACKUP_MEMBER_TWICE: entry<{ member: string }>({
    title: 'A backup has a part twice',
    message: (a) => `${a.member} is in the archive twice; unpacked, the last one would count, and the first was looked at.`,
    hint: () => ANOTHER,
    exit: 1,
    example: { member: 'config' },
  }),
  BACKUP_MEMBER_UNSAFE: entry<{ member: string; why: string }>({
    title: 'A part of a backup may not be unpacked',
    message: (a) => `${a.member} may not be unpacked: ${a.why}.`,
    hint: () => 'engine-backup writes no such thing. Find out who made this file before anything is done with it.',
    exit: 1,
    example: { member: '../../etc/passwd', why: 'its name leads out of the folder it is unpacked to' },
  }),
  BACKUP_MEMBER_EMPTY: entry<{ member: string }>({
    title: 'A part of a backup is empty',
    message: (a) => `${a.member} is empty; a restore would leave it out without a word.`,
    hint: () => ANOTHER,
    exit: 1,
    example: { member: 'db/engine_backup.db' },
  }),
  BACKUP_HASH_WRONG: entry<{ member: string; list: string }>({
    title: 'A part of a backup was changed',
    message: (a) => `${a.member} is not what ${a.list} says: it was changed or damaged after it was made.`,
    hint: () => ANOTHER,
    exit: 1,
    example: { member: 'db/engine_backup.db', list: 'sha256sum' },
  }),
  BACKUP_HASHES_WRONG: entry<{ line: number; why: string }>({
    title: 'The hashes of a backup cannot be read',
    message: (a) => `Line ${a.line} of the list of hashes cannot be read: ${a.why}.`,
    hint: () => ANOTHER,
    exit: 1,
    example: { line: 3, why: 'it is no line of sha256sum' },
  }),
  BACKUP_CONFIG_REFUSED: entry<{ line: number; why: string }>({
    title: 'The config of a backup is refused',
    message: (a) => `Line ${a.line} of config is refused: ${a.why}. engine-backup would run it as root.`,
    hint: () => 'Find out who made this file, and do not give it to engine-backup --mode=restore or --mode=verify.',
    exit: 1,
    example: { line: 3, why: 'a shell would do more with its value than take it' },
  }),
  BACKUP_CONFIG_DIFFERS: entry<{ member: string; told: string; found: string }>({
    title: 'The config of a backup is not true',
    message: (a) => `config says that ${a.member} is ${a.told}, and it is ${a.found}; a restore goes by config and fails.`,
    hint: () => ANOTHER,
    exit: 1,
    example: { member: 'db/engine_backup.db', told: 'custom', found: 'plain, xz' },
  }),
  BACKUP_DUMP_DAMAGED: entry<{ member: string; why: string }>({
    title: 'A part of a backup is not whole',
    message: (a) => `${a.member} is not whole: ${a.why}.`,
    hint: () => ANOTHER,
    exit: 1,
    example: { member: 'db/dwh_backup.db', why: 'could not read from input file: end of file' },
  }),
  BACKUP_DUMP_UNPROVEN: entry<{ member: string; why: string }>({
    title: 'A part of a backup was not read through',
    message: (a) => `Whether ${a.member} is whole is not known: ${a.why}. Its hash alone was looked at.`,
    hint: () => 'On a machine with the programs of a PostgreSQL at least as new:  ferry backup inspect FILE',
    exit: 1,
    example: { member: 'db/engine_backup.db', why: 'there is no pg_restore here to read it with' },
  }),
  BACKUP_DATABASE_MISSING: entry<{ title: string; key: string }>({
    title: 'A backup lacks a database',
    message: (a) =>
      `The ${a.title} database is not in the archive, though the files in it say that it was set up (${a.key}). Unless it was left out on purpose, this backup does not restore the whole.`,
    hint: () => 'engine-backup ends well without a word about it. See the scopes the backup was made with.',
    exit: 1,
    example: { title: 'data warehouse', key: 'OVESETUP_DWH_CORE/enable' },
  }),
  BACKUP_FILES_FOREIGN: entry<{ count: number; list: string }>({
    title: 'A backup has files of other programs',
    message: (a) =>
      `${a.count} of the files ${a.count === 1 ? 'lies' : 'lie'} where engine-backup saves nothing, and would be written over those of the machine: ${a.list}.`,
    hint: () => 'A hook in /etc/ovirt-engine-backup may have added them. Else find out who made this file.',
    exit: 1,
    example: { count: 1, list: 'root/.ssh/authorized_keys' },
  }),
};
