import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import type { Runbook } from '../runbook/runbook.ts';
import type { Wire } from './contract.ts';
import { commonOptions } from './options.ts';
import type { Outside } from './outside.ts';
import { stateDirOf } from './places.ts';

export interface Candidate {
  readonly value: string;
  readonly about?: string;
}

/** Candidates, and which files the shell shall offer beside them: it knows how to walk folders and to quote names. */
export interface Answer {
  readonly candidates: readonly Candidate[];
  /** Files with these endings, with any ending when there is none in the list; or folders alone. */
  readonly files?: readonly string[] | 'folders';
}

/** What candidates may be looked up in. */
export interface Around {
  readonly outside: Pick<Outside, 'env' | 'loadWire'>;
}

interface Context extends Around {
  readonly command: Command;
  /** The arguments before the one that is completed. */
  readonly given: readonly string[];
  /** Values of options typed so far, by long name; of one given twice the last. */
  readonly options: ReadonlyMap<string, string>;
}

type Source = (context: Context, begun: string) => Promise<Answer>;

const YAML = ['yaml', 'yml'];
const files =
  (...endings: readonly string[]): Source =>
  async () => ({ candidates: [], files: endings });
const folders: Source = async () => ({ candidates: [], files: 'folders' });
const nothing: Source = async () => ({ candidates: [] });

/** Where values come from, by the name of an argument or an option, whatever the verb. A test demands an entry for each. */
const SOURCES: Readonly<Record<string, Source>> = {
  // A saved plan can be run as well.
  runbook: (context, begun) => files(...YAML, ...(context.command.name() === 'run' ? ['plan'] : []))(context, begun),
  folder: folders,
  command: nothing,
  verb: nothing,
  words: nothing,
  action: async () => ({ candidates: await actionNames() }),
  run: async (context) => ({ candidates: await runs(context) }),
  step: async (context) => ({ candidates: await steps(context) }),
  host: async (context) => ({ candidates: await hosts(context) }),
  hosts: async (context) => ({ candidates: await hosts(context) }),
  file: files(),
  '--inventory': files(),
  '--inputs': files(...YAML),
  '--on-failure': async () => ({ candidates: ['ask', 'pause', 'rollback'].map((value) => ({ value })) }),
  '--state-dir': folders,
  '--dir': folders,
  '--size': nothing,
  '--window': nothing,
  '--older-than': nothing,
  '--wait': nothing,
  '--notify': nothing,
  '--comment': nothing,
  '--reason': nothing,
  '--digest': nothing,
  '--out': files(),
  '--role': async (context, begun) => ({ candidates: await rolesAndHosts(context, begun) }),
  '--input': async (context) => ({ candidates: await inputs(context, false) }),
  '--secret': async (context, begun) => ({ candidates: await secrets(context, begun) }),
  '--until': async (context) => ({ candidates: await checkpoints(context) }),
  '--from': async (context) => ({ candidates: await hosts(context) }),
  '--without': async (context) => ({ candidates: await hosts(context) }),
  '--skip': async (context) => ({ candidates: await steps(context) }),
  '--mark-done': async (context) => ({ candidates: await steps(context) }),
  '--to': async (context) => ({ candidates: await checkpoints(context) }),
};

/** The names of everything that has candidates. */
export const completable: readonly string[] = Object.keys(SOURCES);

/** Candidates for an argument or option by its name; none where anything is wrong: a shell must not be told. */
export async function candidatesFor(name: string, begun: string, context: Context): Promise<Answer> {
  try {
    return (await SOURCES[name]?.(context, begun)) ?? { candidates: [] };
  } catch {
    return { candidates: [] };
  }
}

async function actionNames(): Promise<Candidate[]> {
  const { catalog } = await import('../actions/catalog.ts');
  // Without their summaries: those would load every action at each key press.
  return Object.keys(catalog).map((value) => ({ value }));
}

async function runs(context: Context): Promise<Candidate[]> {
  const wire = await journalOf(context);
  const found = wire?.readRuns(common(context)) ?? [];
  return found.map(({ run, runbook, stands }) => ({ value: run, about: `${runbook}, ${stands}` }));
}

async function steps(context: Context): Promise<Candidate[]> {
  const wire = await journalOf(context);
  const records = wire?.readLog(context.given[0], common(context)) ?? [];
  return [...new Set(records.flatMap(({ step }) => (step === null ? [] : [step])))].map((value) => ({ value }));
}

async function hosts(context: Context): Promise<Candidate[]> {
  const isLab = context.command.parent?.name() === 'lab';
  const labInventory = join(context.options.get('--dir') ?? '.lab', 'inventory.yaml');
  const inventory = await inventoryOf(context, isLab ? labInventory : undefined);
  return [...inventory.hosts.keys()].map((value) => ({ value }));
}

async function rolesAndHosts(context: Context, begun: string): Promise<Candidate[]> {
  const [role] = begun.split('=');
  if (begun.includes('=')) return (await hosts(context)).map(({ value }) => ({ value: `${role}=${value}` }));
  const runbook = await runbookOf(context);
  if (runbook) return runbook.roles.map(({ name, description }) => ({ value: `${name}=`, about: description ?? '' }));
  return [...(await inventoryOf(context)).roles.keys()].map((name) => ({ value: `${name}=` }));
}

async function inputs(context: Context, secret: boolean): Promise<Candidate[]> {
  const specs = (await runbookOf(context))?.inputs ?? [];
  return specs
    .filter(({ type }) => (type === 'secret') === secret)
    .map(({ name, description }) => ({ value: `${name}=`, about: description ?? '' }));
}

async function secrets(context: Context, begun: string): Promise<Candidate[]> {
  if (!begun.includes('=')) return inputs(context, true);
  const [name] = begun.split('=');
  return ['file:', 'env:', 'cmd:'].map((source) => ({ value: `${name}=${source}` }));
}

async function checkpoints(context: Context): Promise<Candidate[]> {
  const runbook = await runbookOf(context);
  const known = runbook?.checkpoints ?? (await planned(context));
  return known.map(({ name }) => ({ value: name }));
}

/** The checkpoints of the run that is named, or of the latest. */
async function planned(context: Context): Promise<readonly { readonly name: string }[]> {
  const wire = await journalOf(context);
  return wire ? (await wire.readState(context.given[0], common(context))).plan.checkpoints : [];
}

/** The runbook among the arguments, for the verbs that have one. */
async function runbookOf({ command, given, outside }: Context): Promise<Runbook | undefined> {
  const index = command.registeredArguments.findIndex((argument) => argument.name() === 'runbook');
  const path = index < 0 ? undefined : given[index];
  return path === undefined ? undefined : (await (await outside.loadWire()).validateRunbook(path)).runbook;
}

async function inventoryOf({ given, options }: Context, named = options.get('--inventory')) {
  const { readInventory } = await import('./prepare.ts');
  return readInventory(named, given[0] ?? '.');
}

/** What reads the journal; undefined where there is none: nothing heavy is loaded to say so. */
async function journalOf(context: Context): Promise<Wire | undefined> {
  return existsSync(stateDirOf(common(context).stateDir)) ? context.outside.loadWire() : undefined;
}

function common({ options, outside }: Context) {
  const stateDir = options.get('--state-dir');
  return commonOptions(stateDir === undefined ? {} : { stateDir }, { ...outside, places: {} });
}
