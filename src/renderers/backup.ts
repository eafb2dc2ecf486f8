import type { BackupReport } from '../archives/inspect-backup.ts';
import { formatBytes } from '../lib/bytes.ts';
import { plural } from '../lib/text.ts';
import { oneLine, table, wrapText } from './layout.ts';
import { createPaint, type Page, type Paint } from './paint.ts';
import { shown } from './shown.ts';

const PROOFS = { whole: 'read to its end', damaged: 'NOT WHOLE', unproven: 'not read through' } as const;

/** An archive of engine-backup for a person: what it is, its members, its databases, what is wrong, and one verdict. */
export function backupText(found: BackupReport, page: Page): string {
  const report = shown(found);
  const paint = createPaint(page);
  const about = [
    formatBytes(report.sizeBytes),
    report.compressor === 'none' ? 'not compressed' : report.compressor,
    ...(report.version === null ? [] : [`engine ${report.version}`]),
    ...(report.osVersion === null ? [] : [report.osVersion]),
  ];
  return [
    `${paint.strong(oneLine(report.file))}   ${about.map(oneLine).join('  ')}`,
    '',
    ...membersTable(report, paint),
    ...(report.dumps.length + (report.files ? 1 : 0) === 0 ? [] : ['', ...contentsTable(report, paint)]),
    '',
    ...findingLines(report, page, paint),
    verdictOf(report, paint),
  ].join('\n');
}

function membersTable({ members, hashList }: BackupReport, paint: Paint): string[] {
  const rows = members
    .filter(({ type }) => type !== 'folder')
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name, sizeBytes, mode, owner, hash, type }) => [
      `  ${oneLine(name)}`,
      type === 'file' ? formatBytes(sizeBytes).padStart(7) : type,
      `${mode} ${oneLine(owner)}`,
      name === hashList || hash === null
        ? ''
        : hash === 'right'
          ? `${hashList} ok`
          : hash === 'wrong'
            ? `${hashList} WRONG`
            : 'not listed',
    ]);
  return table(rows, (text, column) => (column < 3 ? text : text.endsWith('ok') ? paint.good(text) : paint.bad(text)));
}

function contentsTable({ dumps, files }: BackupReport, paint: Paint): string[] {
  const form = (format: string, compressor: string) => (compressor === 'none' ? format : `${format}, ${compressor}`);
  const rows = dumps.map(({ scope, title, database, format, compressor, server, sizeBytes, proof }) => [
    `  ${scope}`,
    database === null || database === '' ? title : `${title} (${oneLine(database)})`,
    form(format, compressor),
    server === null ? '' : `PostgreSQL ${oneLine(server)}`,
    formatBytes(sizeBytes),
    PROOFS[proof],
  ]);
  const archive = files
    ? [
        [
          '  files',
          plural(files.members, 'member'),
          form('tar', files.compressor),
          '',
          formatBytes(files.sizeBytes),
          PROOFS[files.proof],
        ],
      ]
    : [];
  return table([...rows, ...archive], (text, column) =>
    column < 5 ? text : text.startsWith('read') ? paint.good(text) : text.startsWith('NOT') ? paint.bad(text) : paint.warn(text),
  );
}

/** Each finding once; what to do about several stands below them, once too. */
function findingLines({ findings }: BackupReport, page: Page, paint: Paint): string[] {
  const lines = findings.flatMap(({ severity, code, message }) => {
    const mark = severity === 'error' ? paint.bad : paint.warn;
    const [first = '', ...more] = wrapText(`${severity} ${code}  ${oneLine(message)}`, page.width - 2);
    const head = `${severity} ${code}`;
    return [`${mark(head)}${first.slice(head.length)}`, ...more.map((line) => `  ${line}`)];
  });
  const hints = [...new Set(findings.flatMap(({ hint }) => hint ?? []))].flatMap((hint) => wrapText(hint, page.width - 2));
  return lines.length === 0 ? [] : [...lines, ...hints.map((hint) => `  ${paint.command(hint)}`), ''];
}

function verdictOf({ verdict, dumps, findings }: BackupReport, paint: Paint): string {
  const warnings = findings.filter(({ severity }) => severity === 'warning').length;
  if (verdict === 'damaged') return paint.bad('Do not restore this backup.');
  if (verdict === 'unproven') return paint.warn('Its hashes are right; not all of it could be read through.');
  const what = `Whole: every hash is right, ${plural(dumps.length, 'dump')} read to the end.`;
  return warnings === 0 ? paint.good(what) : paint.warn(`${what} ${plural(warnings, 'warning')} above.`);
}
