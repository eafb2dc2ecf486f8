import { fileContent, textOf } from '../../facts/file-content.ts';
import { fileStat } from '../../facts/file-stat.ts';
import { describeContents, isEmpty, pgContents } from '../../facts/pg-contents.ts';
import type { PgDatabase } from '../../facts/pg-database.ts';
import { pgImprint } from '../../facts/pg-imprint.ts';
import { FILLING, isSameImprint } from '../../facts/postgres/imprint.ts';
import { savedFiles } from '../../facts/saved-files.ts';
import type { DiffLine } from '../action.ts';
import type { FormerSettings } from '../postgres/former-settings.ts';
import { IMPRINT } from '../postgres/take-back.ts';
import { undoPreview } from '../undo-preview.ts';

export type DatabaseUndo = {
  scope: string;
  host: string;
  port: number;
  database: string;
  former: Omit<PgDatabase, 'settings'> & FormerSettings;
};
/** What the files were is known by a keyed hash alone; their bytes are kept on the host. Null when no file is restored. */
export type RestoreUndo = { files: { files: number; keyedHash: string } | null; databases: DatabaseUndo[] };

/** Under this name a restore keeps, on the host that runs it, what tells of a database whether somebody has written into it since. */
export function imprintOf(scope: string): string {
  return `${scope}-${IMPRINT}`;
}

/** The undo of `ovirt.restore-backup`: which databases are made empty, and that the files come back. */
export const restorePreview = undoPreview({
  facts: ({ databases }: RestoreUndo, { host, kept }) => ({
    imprints: databases.map((one) => pgImprint(one.port, one.database).on(one.host)),
    left: databases.map(({ scope }) => fileContent(kept(imprintOf(scope))).on(host)),
    kept: fileStat(kept('files.tar')).on(host),
    files: savedFiles().on(host),
    contents: databases.map((one) => pgContents(one.port, one.database).on(one.host)),
  }),
  look({ files, databases }, facts, { crossedWriteLine }) {
    const filled = facts.contents.flatMap((fact, index) => {
      const one = databases[index];
      const file = facts.left[index]?.value;
      const left = (file && textOf(file)?.trim()) ?? '';
      const isKept = crossedWriteLine || (left !== FILLING && !isSameImprint(left, facts.imprints[index]?.value));
      return one && fact.value && !isEmpty(fact.value) ? [{ one, inside: fact.value, isKept }] : [];
    });
    const diff: DiffLine[] = filled.map(({ one, inside, isKept }) => [
      '-',
      `${isKept ? 'rename and keep ' : ''}database ${one.database} on ${one.host}: ${describeContents(inside)}`,
    ]);
    const isOther = files && facts.kept.value && facts.files.value?.keyedHash !== files.keyedHash;
    if (isOther) diff.push(['+', 'the former files of the engine, with owner and mode']);
    return { diff, predicts: isOther ? [facts.files.becomes(files)] : [] };
  },
});
