import type { Action } from '../actions/action.ts';
import type { CrashPoint, Ports } from '../engine/ports.ts';
import { FerryError } from '../errors/ferry-error.ts';
import { factKind } from '../facts/kinds.ts';
import { readFacts } from '../facts/read.ts';
import type { Fleet } from '../hosts/fleet.ts';
import { openFleet } from '../hosts/open-fleet.ts';
import { RedactedLog } from '../hosts/redacted-log.ts';
import { Redactor } from '../hosts/redactor.ts';
import { Secret } from '../hosts/secret.ts';
import type { HostSettings } from '../inventory/inventory.ts';
import type { Journal } from '../journal/journal.ts';
import { SecretHashes } from '../journal/secret-hash.ts';
import type { Runbook } from '../runbook/runbook.ts';
import { JumpHosts } from '../transports/jump-hosts.ts';
import { type AskPassphrase, KeyRing } from '../transports/key-ring.ts';
import { LocalTransport } from '../transports/local.ts';
import { SshTransport } from '../transports/ssh.ts';
import type { RunIo } from './contract.ts';
import type { InputValues } from './inputs.ts';
import { holderName } from './places.ts';

/** Hosts ready to connect, each over the transport it names; `ask` is for the passphrases of keys. */
export function fleetOf(hosts: ReadonlyMap<string, HostSettings>, ask: AskPassphrase | null = null): Fleet {
  const keys = new KeyRing({ passphrase: process.env.FERRY_KEY_PASSPHRASE || null, ask });
  const shared = { keys, jumpHosts: new JumpHosts() };
  return openFleet(hosts, (settings) =>
    settings.connection === 'local' ? new LocalTransport(settings) : new SshTransport(settings, shared),
  );
}

/** Everything the engine needs of the world, wired to the real one. */
export function makePorts(parts: {
  journal: Journal;
  fleet: Fleet;
  runbook: Runbook;
  actions: ReadonlyMap<string, Action>;
  inputs: InputValues;
  stateDir: string;
  yes: boolean;
  waitMs?: number | undefined;
  onFailure?: string | undefined;
  io: RunIo;
}): Ports {
  const { journal, fleet, runbook, actions, inputs, io } = parts;
  const redactor = new Redactor();
  const learn = (value: unknown): void => {
    if (value instanceof Secret) redactor.add(value);
  };
  for (const value of inputs.values()) learn(value);
  const { askFailure } = io;
  return {
    journal,
    fleet,
    runbook,
    actions,
    inputs,
    read: (host, refs) => readFacts(fleet.host(host), refs),
    async factKind(kind) {
      const found = await factKind(kind);
      if (!found) throw new FerryError('INTERNAL', { what: `this release knows no kind of fact ${kind}` });
      return found;
    },
    emit: (event) => io.emit(event),
    redact: (value) => redactor.redactTexts(value),
    redactedLog: () => {
      const log = new RedactedLog(redactor);
      return (piece) => log.take(piece);
    },
    learn,
    secrets: new SecretHashes(parts.stateDir),
    gates: { yes: parts.yes, canAsk: io.ask !== undefined, waitMs: parts.waitMs ?? null },
    ask: async (question, signal) => (io.ask ? await io.ask(question, signal) : null),
    // `--yes` says that nobody is to be waited for, and stands for no word of a person's own.
    askPerson: async (question) => (io.ask && !parts.yes ? await io.ask(question) : null),
    // A runbook that says what becomes of a failure has answered already, unless the question was asked for.
    askFailure:
      askFailure && (parts.onFailure === 'ask' || runbook.onFailure === undefined)
        ? (question) => {
            // People may think for hours, and nothing runs meanwhile.
            fleet.rest();
            return askFailure(question);
          }
        : null,
    holder: holderName(),
    signal: io.signal,
    cancel: io.cancel ?? new AbortController().signal,
    crash: crashPoint(process.env),
  };
}

/**
 * For tests only. FERRY_CRASH_AT="after-record step.intended:dump" ends this process there, as a power cut would;
 * FERRY_FAIL_AT="after-apply dump" lets the step fail there.
 */
function crashPoint(env: NodeJS.ProcessEnv): (point: CrashPoint, about: string) => void {
  const { FERRY_CRASH_AT: crashAt, FERRY_FAIL_AT: failAt } = env;
  if (!crashAt && !failAt) return () => undefined;
  return (point, about) => {
    const here = `${point} ${about}`;
    if (here === crashAt) process.kill(process.pid, 'SIGKILL');
    if (here === failAt)
      throw new FerryError('CHECK_FAILED', {
        what: `the failure asked for by FERRY_FAIL_AT at ${here}`,
        host: 'this machine',
        why: 'it was asked for',
      });
  };
}
