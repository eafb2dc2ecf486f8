import { execFile as execFileCallback } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { findActions, PROJECT } from './action-files.ts';
import { catalogSource } from './catalog-source.ts';
import { eventsSchema, noticeSchema } from './events-schema.ts';
import { factKindsSource } from './fact-kinds-source.ts';
import { inventorySchema } from './inventory-schema.ts';
import { lintPage } from './lint-page.ts';
import { findRules, lintRulesSource } from './lint-rules-source.ts';
import { actionsPage, errorsPage } from './reference.ts';
import { runbookSchema } from './runbook-schema.ts';

const execFile = promisify(execFileCallback);

/** Every generated file by its path from the project's root, made from the sources as they are now. */
export async function generated(
  project = PROJECT,
): Promise<{ files: Map<string, string>; broken: { path: string; why: string }[] }> {
  const { actions, broken } = await findActions(project);
  const files = new Map<string, string>();
  files.set('src/actions/catalog.ts', catalogSource(actions));
  files.set('src/facts/kinds.ts', await factKindsSource(project));
  const rules = await findRules(project);
  files.set('src/runbook/lint/rules.ts', lintRulesSource(rules));
  const codes = rules.map(({ rule }) => rule.code);
  files.set('schemas/runbook.schema.json', json(runbookSchema(actions, codes)));
  files.set('schemas/inventory.schema.json', json(inventorySchema()));
  files.set('schemas/events.schema.json', json(await eventsSchema(project)));
  files.set('schemas/notice.schema.json', json(await noticeSchema(project)));
  files.set('docs/reference/actions.md', actionsPage(actions));
  files.set('docs/reference/errors.md', errorsPage());
  files.set('docs/reference/lint.md', lintPage(rules));
  for (const [path, text] of files) files.set(path, await formatted(path, text, project));
  return { files, broken };
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

/** The text as the formatter leaves it, so that formatting the project and generating its files do not quarrel. */
async function formatted(path: string, text: string, project: string): Promise<string> {
  if (path.endsWith('.md')) return text;
  const biome = execFile(join(PROJECT, 'node_modules', '.bin', 'biome'), ['format', `--stdin-file-path=${path}`], {
    cwd: project,
    maxBuffer: 1 << 26,
  });
  biome.child.stdin?.end(text);
  return (await biome).stdout;
}

/** Writes what differs, or with `check` only names it. */
export async function generate(options: {
  check: boolean;
  project?: string;
}): Promise<{ changed: string[]; broken: { path: string; why: string }[] }> {
  const project = options.project ?? PROJECT;
  const { files, broken } = await generated(project);
  const changed: string[] = [];
  for (const [path, content] of files) {
    const target = join(project, path);
    const present = await readFile(target, 'utf8').catch(() => null);
    if (present === content) continue;
    changed.push(path);
    if (options.check) continue;
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, content);
  }
  return { changed, broken };
}

if (import.meta.main) {
  const check = process.argv.includes('--check');
  const { changed, broken } = await generate({ check });
  for (const { path, why } of broken) process.stderr.write(`src/actions/${path} does not load: ${why}\n`);
  for (const path of changed) process.stdout.write(`${check ? 'out of date' : 'wrote'}  ${path}\n`);
  if (check && changed.length > 0) process.stdout.write('npm run generate   brings them up to date.\n');
  process.exitCode = broken.length > 0 || (check && changed.length > 0) ? 1 : 0;
}
