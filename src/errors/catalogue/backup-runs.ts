import { entry } from '../entry.ts';

/** Errors of the steps that make and restore archives of engine-backup. */
export const backupRunErrors = {
  BACKUP_REFUSED: entry<{ host: string; file: string; count: number; list: string }>({
    title: 'A backup is refused',
    message: (a) =>
      `${a.file} on ${a.host} must not be restored, for ${a.count === 1 ? 'a reason' : `${a.count} reasons`}:\n${a.list}`,
    hint: () => 'Take another backup, or another copy of this one;  ferry backup inspect FILE   looks at one anywhere.',
    exit: 1,
    example: {
      host: 'engine',
      file: '/root/engine.backup',
      count: 1,
      list: '  db/engine_backup.db is not what sha256sum says: it was changed or damaged after it was made.',
    },
  }),
  BACKUP_FAILED: entry<{ host: string; tool: string; why: string; log: string }>({
    title: 'A backup failed',
    message: (a) => `${a.tool} on ${a.host} made no backup: ${a.why}.`,
    hint: (a) =>
      a.log === '' ? 'ferry resume   tries again.' : `${a.log}   on ${a.host} tells more;  ferry resume   tries again.`,
    exit: 1,
    example: {
      host: 'engine',
      tool: 'engine-backup',
      why: 'FATAL: Failed notifying engine',
      log: '/var/log/ovirt-engine-backup/backup.log',
    },
  }),
  BACKUP_INCOMPLETE: entry<{ host: string; file: string; missing: string }>({
    title: 'A backup left something out',
    message: (a) => `The backup made on ${a.host} has no ${a.missing}, although it was asked for and the program ended well.`,
    hint: () =>
      'engine-backup leaves out, without a word, what engine-setup has not on record as set up: see OVESETUP_*_CORE/enable in /etc/ovirt-engine-setup.conf.d.',
    exit: 1,
    example: { host: 'engine', file: '/root/engine.backup', missing: 'db/dwh_backup.db' },
  }),
  RESTORE_REFUSED: entry<{ host: string; tool: string; file: string; what: string; count: number; list: string }>({
    title: 'A restore was refused before it began',
    message: (a) =>
      `${a.what} of ${a.file} cannot be restored on ${a.host} by ${a.tool}, for ${a.count === 1 ? 'a reason' : `${a.count} reasons`}:\n${a.list}`,
    hint: () => 'Mend that, then  ferry resume   tries again;  ferry rollback   takes the run back.',
    exit: 1,
    example: {
      ...{ host: 'engine', tool: 'ferry', file: '/root/engine.backup', what: 'files, db', count: 1 },
      list: '  engine cannot log in to engine on newdb:5432: FATAL:  password authentication failed for user "engine"',
    },
  }),
  BACKUP_NOT_RESTORED: entry<{ host: string; tool: string; what: string; why: string; log: string }>({
    title: 'A restore of a backup failed',
    message: (a) => `${a.tool} on ${a.host} did not restore ${a.what}: ${a.why}.`,
    hint: (a) =>
      `${a.log === '' ? '' : `${a.log}   on ${a.host} tells more. `}ferry rollback   puts the files back and has the databases empty again.`,
    exit: 1,
    example: { host: 'engine', tool: 'engine-backup', what: 'the backup', why: "FATAL: Database 'engine' is not empty", log: '' },
  }),
};
