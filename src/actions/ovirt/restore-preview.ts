import { fileStat } from '../../facts/file-stat.ts';
import { describeContents, isEmpty, pgContents } from '../../facts/pg-contents.ts';
import type { PgDatabase } from '../../facts/pg-database.ts';
import type { DiffLine } from '../action.ts';
import type { FormerSettings } from '../postgres/former-settings.ts';
import { undoPreview } from '../undo-preview.ts';

export type DatabaseUndo = {
  scope: string;
  host: string;
  port: number;
  database: string;
  former: Omit<PgDatabase, 'settings'> & FormerSettings;
};
export type RestoreUndo = { files: boolean; databases: DatabaseUndo[] };

/** The undo of `ovirt.restore-backup`: which databases are made empty, and that the files come back. */
export const restorePreview = undoPreview({
  facts: ({ databases }: RestoreUndo, { host, kept }) => ({
    kept: fileStat(kept('files.tar')).on(host),
    contents: databases.map((one) => pgContents(one.port, one.database).on(one.host)),
  }),
  look({ files, databases }, facts, { crossedWriteLine }) {
    const filled = facts.contents.flatMap((fact, index) => {
      const one = databases[index];
      return one && fact.value && !isEmpty(fact.value) ? [{ fact, one, inside: fact.value }] : [];
    });
    const diff: DiffLine[] = filled.map(({ one, inside }) => [
      '-',
      `${crossedWriteLine ? 'rename and keep ' : ''}database ${one.database} on ${one.host}: ${describeContents(inside)}`,
    ]);
    if (files && facts.kept.value) diff.push(['+', 'the former files of the engine, with owner and mode']);
    return { diff };
  },
});
