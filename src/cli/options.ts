import { type Command, Option } from 'commander';
import { FerryError } from '../errors/ferry-error.ts';
import type { CommonOptions } from './contract.ts';
import type { Outside } from './outside.ts';

type Pairs = ReadonlyMap<string, string>;

/** The options as commander gives them, whichever of them a verb has. */
export interface Typed {
  readonly inventory?: string;
  readonly stateDir?: string;
  readonly input?: Pairs;
  readonly inputs?: string;
  readonly secret?: Pairs;
  readonly role?: Pairs;
  readonly yes?: boolean;
  readonly json?: boolean;
  readonly notify?: readonly string[];
}

/** Adds `name=value` to what was given before; the last of two equal names holds. */
function pair(option: string, form: string): (text: string, before?: Pairs) => Pairs {
  return (text, before) => {
    const cut = text.indexOf('=');
    // The text itself is not repeated: it may be a secret that lacks its name.
    if (cut < 1)
      throw new FerryError('USAGE_WRONG', { problem: `${option} must look like ${option} ${form}.`, command: 'ferry run' });
    return new Map(before).set(text.slice(0, cut), text.slice(cut + 1));
  };
}

export const STATE_DIR = [
  '--state-dir <folder>',
  'where runs are remembered (FERRY_STATE_DIR; default: the XDG state folder)',
] as const;
export const JSON_FLAG = ['--json', 'write JSON instead of text'] as const;

const INVENTORY = ['-i, --inventory <file>', 'hosts and roles (default: inventory.yaml beside the runbook or here)'] as const;

/** Options of every verb that connects to hosts. */
export function withHosts(command: Command): Command {
  return command
    .option(...INVENTORY)
    .option(...STATE_DIR)
    .option(...JSON_FLAG);
}

/** The same, and `--role`, for verbs that may yet choose hosts: those of a run that began stay as they are. */
export function withRoles(command: Command): Command {
  const role = new Option('--role <role=host>', 'the host that plays a role, or several between commas; may be repeated');
  return command
    .option(...INVENTORY)
    .addOption(role.argParser(pair('--role', 'role=host')))
    .option(...STATE_DIR)
    .option(...JSON_FLAG);
}

/** Options of every verb that gives values to a runbook. */
export function withInputs(command: Command): Command {
  return command
    .addOption(
      new Option('--input <name=value>', 'the value of an input; may be repeated').argParser(pair('--input', 'name=value')),
    )
    .option('--inputs <file>', 'a YAML file with values of inputs')
    .addOption(withSecret());
}

/** `--secret`, for verbs that ask for secrets alone. */
export function withSecret(): Option {
  return new Option(
    '--secret <name=source>',
    'where a secret is read: env:VAR, file:PATH or cmd:COMMAND; may be repeated',
  ).argParser(pair('--secret', 'name=file:PATH'));
}

/** `--notify`, for verbs that work on a run. */
export function withNotify(): Option {
  return new Option(
    '--notify <hook>',
    'who is told what becomes of the run: cmd:PATH, https://..., or env:VAR, file:PATH with one of them; may be repeated (FERRY_NOTIFY)',
  ).argParser((text: string, before?: readonly string[]) => [...(before ?? []), text]);
}

/** Turns what was typed into what the verbs speak; FERRY_STATE_DIR stands in for `--state-dir`. */
export function commonOptions(typed: Typed, { env, places }: Pick<Outside, 'env' | 'places'>): CommonOptions {
  const stateDir = typed.stateDir ?? env.FERRY_STATE_DIR;
  return {
    ...(typed.inventory === undefined ? {} : { inventory: typed.inventory }),
    ...(stateDir ? { stateDir } : {}),
    ...(typed.inputs === undefined ? {} : { inputsFile: typed.inputs }),
    inputs: new Map(typed.input),
    secrets: new Map(typed.secret),
    roles: new Map([...(typed.role ?? [])].map(([role, hosts]) => [role, hosts.split(',')])),
    yes: typed.yes ?? false,
    json: typed.json ?? false,
    notify: typed.notify ?? env.FERRY_NOTIFY?.split(/\s+/).filter(Boolean) ?? [],
    places,
  };
}
