import { dirname, join } from 'node:path';
import type { Path, SourceDocument } from '../documents/document.ts';
import type { Diagnostic } from '../errors/diagnostic.ts';
import { finding, type Place } from '../errors/finding.ts';
import { parseDuration } from '../lib/duration.ts';
import type { Json } from '../lib/json.ts';
import type { Allow, IncludeItem, Item, Model, Named, StepItem } from './model.ts';
import { readInputs } from './read-inputs.ts';
import { readTerms } from './read-terms.ts';
import type { FanOut } from './runbook.ts';
import { readTemplate, splitText } from './template.ts';

type JsonMap = { [key: string]: Json };

/**
 * Makes the model of a file whose shape may be wrong: what the schema refuses is left out here, so that one pass over the
 * file tells everything that is wrong with it.
 */
export function readModel(document: SourceDocument, report: (found: Diagnostic) => void): Model {
  const root = mapOf(document.value);
  for (const field of ['name', 'title', 'description', 'onFailure']) refuseExpression(document, [field], root[field], report);
  return {
    document,
    file: document.file,
    name: textOf(root.name) ?? 'runbook',
    ...optional('title', textOf(root.title)),
    ...optional('description', textOf(root.description)),
    ...optional('onFailure', textOf(root.onFailure)),
    inputs: readInputs(document, mapOf(root.inputs), report),
    roles: Object.entries(mapOf(root.roles)).map(([name, role]) => ({
      name,
      ...optional('description', textOf(mapOf(role).description)),
      ...optional('default', textOf(mapOf(role).default)),
      ...(mapOf(role).many === true ? { many: true } : {}),
      at: document.keyPlace(['roles', name]).at,
    })),
    allow: readAllow(document, ['allow'], root.allow),
    done: listOf(root.done).flatMap((item, index) =>
      readStep(document, ['done', index], mapOf(item), `done-${index + 1}`, report),
    ),
    items: listOf(root.steps).flatMap((item, index) => readItem(document, ['steps', index], mapOf(item), report)),
    used: { inputs: new Set(), roles: new Set() },
  };
}

function readItem(document: SourceDocument, path: Path, item: JsonMap, report: (found: Diagnostic) => void): Item[] {
  if ('checkpoint' in item)
    return named(document, [...path, 'checkpoint'], item.checkpoint).map((name) => ({ kind: 'checkpoint', name }));
  if ('runbook' in item) return readInclude(document, path, item, report);
  return readStep(document, path, item, undefined, report);
}

function readStep(
  document: SourceDocument,
  path: Path,
  item: JsonMap,
  defaultId: string | undefined,
  report: (found: Diagnostic) => void,
): StepItem[] {
  for (const field of ['id', 'title', 'host', 'uses', 'confirm', 'timeout', 'stallAfter'])
    refuseExpression(document, [...path, field], item[field], report);
  const start = document.startPlace(path);
  const [id = { name: defaultId ?? '', ...start }] = named(document, [...path, 'id'], item.id);
  const [host = { name: '', ...start }] = named(document, [...path, 'host'], item.host);
  const [uses = { name: '', ...start }] = named(document, [...path, 'uses'], item.uses);
  // Where the field is missing the schema says so; here it is written, and names nothing.
  if (item.uses === '') report(finding('ACTION_UNKNOWN', { action: '', nearest: '' }, document.place([...path, 'uses'])));
  const timeoutMs = parseDuration(textOf(item.timeout) ?? '') ?? undefined;
  const params = item.with ?? {};
  return [
    {
      kind: 'step',
      path,
      id,
      host,
      uses,
      params,
      allow: readAllow(document, [...path, 'allow'], item.allow),
      with: readTemplate(document, 'with' in item ? [...path, 'with'] : path, params, report),
      ...optional('title', textOf(item.title)),
      ...optional('when', readWhen(document, [...path, 'when'], item.when, report)),
      ...optional('timeoutMs', timeoutMs),
      ...optional('terms', readTerms(item.limits, item.stallAfter)),
      ...optional('confirm', textOf(item.confirm)),
      ...('fanOut' in item ? { fanOut: readFanOut(document, [...path, 'fanOut'], mapOf(item.fanOut)) } : {}),
      ...optional('deadMan', readDeadMan(document, [...path, 'deadMan'], item.deadMan, report)),
      ...optional('needs', readNeeds(document, path, item)),
    },
  ];
}

function readDeadMan(
  document: SourceDocument,
  path: Path,
  value: Json | undefined,
  report: (found: Diagnostic) => void,
): StepItem['deadMan'] {
  const parts = typeof value === 'string' ? { after: value } : mapOf(value);
  for (const [field, text] of Object.entries(parts))
    refuseExpression(document, typeof value === 'string' ? path : [...path, field], text, report);
  const afterMs = parseDuration(textOf(parts.after) ?? '');
  return afterMs === null ? undefined : { afterMs, reload: textOf(mapOf(value).then) ?? null };
}

function readInclude(document: SourceDocument, path: Path, item: JsonMap, report: (found: Diagnostic) => void): IncludeItem[] {
  for (const field of ['id', 'title', 'runbook']) refuseExpression(document, [...path, field], item[field], report);
  const [runbook] = named(document, [...path, 'runbook'], item.runbook);
  if (!runbook) return [];
  const [id] = named(document, [...path, 'id'], item.id);
  return [
    {
      kind: 'include',
      path,
      runbook,
      target: join(dirname(document.file), runbook.name),
      ...optional('id', id),
      with: Object.entries(mapOf(item.with)).map(([input, value]) => {
        const place = [...path, 'with', input];
        return [{ name: input, ...document.keyPlace(place) }, readTemplate(document, place, value, report)] as const;
      }),
      roles: Object.entries(mapOf(item.roles)).flatMap(([theirs, ours]) => {
        const place = [...path, 'roles', theirs];
        return named(document, place, ours).map((own) => [{ name: theirs, ...document.keyPlace(place) }, own] as const);
      }),
      allow: readAllow(document, [...path, 'allow'], item.allow),
      ...optional('when', readWhen(document, [...path, 'when'], item.when, report)),
      ...optional('needs', readNeeds(document, path, item)),
    },
  ];
}

function readFanOut(document: SourceDocument, path: Path, { concurrency, undo }: JsonMap): FanOut & Place {
  return {
    concurrency: typeof concurrency === 'number' ? concurrency : null,
    undo: undo === 'host' ? 'host' : 'all',
    ...document.keyPlace(path),
  };
}

function readAllow(document: SourceDocument, path: Path, value: Json | undefined): Allow[] {
  return listOf(value).flatMap((each, index) => {
    const { rule, reason } = mapOf(each);
    if (typeof rule !== 'string' || typeof reason !== 'string') return [];
    return [{ rule, reason, ...document.place([...path, index, 'rule']) }];
  });
}

function readWhen(
  document: SourceDocument,
  path: Path,
  value: Json | undefined,
  report: (found: Diagnostic) => void,
): StepItem['when'] {
  if (typeof value === 'boolean') return { source: String(value), ...document.place(path) };
  if (typeof value !== 'string') return undefined;
  const template = readTemplate(document, path, value, report);
  if (template.kind === 'expression') return { source: template.source, at: template.at, length: template.source.length };
  const split = splitText(value);
  if ('parts' in split && split.parts.some((part) => typeof part !== 'string')) {
    report(
      finding(
        'VALUE_INVALID',
        { field: 'when', got: 'a text with expressions in it', why: 'it must be one expression' },
        document.place(path),
      ),
    );
    return undefined;
  }
  const place = document.place(path);
  const quoted = /^["']/.test(document.raw(path).text);
  return { source: value.trim(), at: quoted ? { ...place.at, column: place.at.column + 1 } : place.at, length: place.length };
}

function readNeeds(document: SourceDocument, path: Path, item: JsonMap): Named[] | undefined {
  if (!Array.isArray(item.needs)) return undefined;
  return item.needs.flatMap((need, index) => named(document, [...path, 'needs', index], need));
}

function named(document: SourceDocument, path: Path, value: Json | undefined): Named[] {
  return typeof value === 'string' && value !== '' ? [{ name: value, ...document.place(path) }] : [];
}

function refuseExpression(
  document: SourceDocument,
  path: Path,
  value: Json | undefined,
  report: (found: Diagnostic) => void,
): void {
  if (typeof value === 'string' && value.includes('${{'))
    report(finding('EXPRESSION_MISPLACED', { field: String(path.at(-1)) }, document.place(path)));
}

function mapOf(value: Json | undefined): JsonMap {
  return value !== null && typeof value === 'object' && !Array.isArray(value) ? value : {};
}

function listOf(value: Json | undefined): Json[] {
  return Array.isArray(value) ? value : [];
}

function textOf(value: Json | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** A member for spreading: none at all when there is no value. */
export function optional<K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } {
  return (value === undefined ? {} : { [key]: value }) as { [P in K]?: V };
}
