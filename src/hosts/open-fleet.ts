import { FerryError } from '../errors/ferry-error.ts';
import type { HostSettings } from '../inventory/inventory.ts';
import { lastLines } from '../lib/text.ts';
import type { Transport } from '../transports/transport.ts';
import { ActingMachine } from './acting-machine.ts';
import { cleanScript, leftoversScript, parseLeftovers, parseTraces, type RunTraces, tracesScript } from './clean-scripts.ts';
import { armDeadManScript, confirmDeadManScript, type DeadManState, lookAtDeadManScript, pullDeadManScript } from './dead-man.ts';
import { effectsScript, endDetachedScript } from './detached-scripts.ts';
import { exitCodesScript } from './effect-scripts.ts';
import { parseExitCode, UNREADABLE } from './exit-code.ts';
import type { Effect, Fleet } from './fleet.ts';
import type { RunResult } from './host.ts';
import { copyChunkScript, copySizeScript, raiseEpochScript } from './journal-copy.ts';
import { keepScript } from './keep.ts';
import { type AttemptId, FERRY_DIR } from './layout.ts';
import { fenceLeaseScript, knowsRunScript, parseLease, readLeaseScript, releaseLeaseScript, takeLeaseScript } from './lease.ts';
import { hostInfo, Machine } from './machine.ts';
import { openAttemptScript } from './open-attempt.ts';
import { whyLost } from './postmortem.ts';
import { RecordsSender } from './records-sender.ts';
import { parseRunsSince } from './runs-here.ts';
import { sh } from './sh.ts';
import { staleError } from './stale-epoch.ts';

// A data directory that undo needs is copied whole; what hangs is ended by the person who waits.
const KEEP_LIMIT_MS = 6 * 3_600_000;
// As long as a short command may take; what takes longer is told, and settled by resume.
const RAISE_WAIT_S = 300;

// It may have to end a command first, and to wait for the one that follows.
const DEAD_MAN_LIMIT_MS = 150_000;

/** A fleet over the hosts of an inventory; `transportOf` says how bytes reach each. Nothing connects before it is used. */
export function openFleet(hosts: ReadonlyMap<string, HostSettings>, transportOf: (settings: HostSettings) => Transport): Fleet {
  const machines = new Map<string, Machine>();
  const sender = new RecordsSender();
  const settingsOf = (name: string): HostSettings => {
    const settings = hosts.get(name);
    if (!settings) throw new FerryError('INTERNAL', { what: `no host ${name} in the inventory` });
    return settings;
  };
  const machine = (name: string): Machine => {
    const known = machines.get(name);
    if (known) return known;
    const settings = settingsOf(name);
    const made = new Machine(settings, transportOf(settings));
    machines.set(name, made);
    return made;
  };
  const must = (name: string, what: string, result: RunResult): RunResult => {
    if (result.code === 0) return result;
    throw new FerryError('COMMAND_FAILED', {
      host: name,
      what,
      code: result.code,
      output: lastLines(result.stderr, 4),
    });
  };

  const refuseStale = (name: string, id: { readonly run: string; readonly epoch: number }, said: string): void => {
    if (said.startsWith('stale ')) throw staleError(name, id, said.slice(6));
  };

  const refuseUnsafe = (name: string, said: string): void => {
    if (said.startsWith('unsafe '))
      throw new FerryError('HOST_FOLDER_UNSAFE', { host: name, folder: FERRY_DIR, why: said.slice(7) });
  };

  return {
    info: (name) => hostInfo(settingsOf(name)),
    host: machine,
    acting: (name, id, signal, report, terms) => new ActingMachine(machine(name), id, signal, report, terms),
    async openAttempt(name, id, intent, records) {
      const said = await sender.send(name, id.run, records, async (part) => {
        // stdin, because an intent may be longer than an argument can be.
        const done = await machine(name).run(openAttemptScript(id, part, intent), { stdin: (part?.text ?? '') + intent });
        return must(name, 'opening an attempt', done).stdout.trim();
      });
      refuseStale(name, id, said);
      return said === 'opened';
    },
    async effects(name, id) {
      const lines = must(name, 'reading an attempt', await machine(name).run(effectsScript(id)))
        .stdout.trim()
        .split('\n');
      if (lines[0] !== 'found') return null;
      return lines.slice(1).map((line): Effect => {
        const [effect = '', kind, state, ...rest] = line.split(' ');
        const found = { name: effect, detached: kind === 'detached' };
        if (state === 'running') return { ...found, state };
        const code = state === 'exited' ? parseExitCode(rest.join(' ')) : null;
        if (code !== null) return { ...found, state: 'exited', code };
        return { ...found, state: 'lost', why: whyLost(state === 'exited' ? UNREADABLE : rest.join(' ')) };
      });
    },
    async exitCodes(name, attempts, effect) {
      const { stdout } = must(name, 'reading exit codes', await machine(name).run(exitCodesScript(attempts, effect)));
      return stdout.split('\n').flatMap((line) => parseExitCode(line) ?? []);
    },
    async endDetached(name, id) {
      const ended = await machine(name).run(endDetachedScript(id), { timeoutMs: 150_000 });
      refuseStale(name, id, must(name, 'ending detached commands', ended).stdout);
    },
    async keep(name, id, requests, generation = 0) {
      const kept = await machine(name).run(keepScript(id, requests, generation), { timeoutMs: KEEP_LIMIT_MS });
      const result = must(name, 'keeping what undo needs', kept);
      refuseStale(name, id, result.stdout);
      return result.stdout.split('\n').flatMap((line) => {
        const [word, kept, sha256] = line.split(' ');
        return word === 'kept' && kept && sha256 ? [{ name: kept, sha256 }] : [];
      });
    },
    async armDeadMan(name, id, deadMan) {
      const answer = must(name, 'arming a dead-man switch', await machine(name).run(armDeadManScript(id, deadMan))).stdout.trim();
      if (answer.startsWith('unarmed'))
        throw new FerryError('DEAD_MAN_UNARMED', {
          host: name,
          step: id.step,
          why: answer.slice(8).trim() || 'no timer was set',
        });
      return deadManState(name, id, answer);
    },
    async deadMan(name, id, ask) {
      const script = { look: lookAtDeadManScript, confirm: confirmDeadManScript, revert: pullDeadManScript }[ask](id);
      const answer = must(name, 'asking a dead-man switch', await machine(name).run(script, { timeoutMs: DEAD_MAN_LIMIT_MS }));
      const said = answer.stdout.trim();
      return said === 'no-attempt' ? 'none' : deadManState(name, id, said);
    },
    async logIn(name) {
      const settings = settingsOf(name);
      const fresh = new Machine(settings, transportOf(settings));
      try {
        must(name, 'logging in anew', await fresh.run(sh`:`));
      } finally {
        await fresh.close();
      }
    },
    async knowsRun(name, run) {
      const said = must(name, 'looking for a run', await machine(name).run(knowsRunScript(name, run))).stdout;
      const [, count] = /^yes +(\d+)$/m.exec(said) ?? [];
      if (count === undefined) return null;
      sender.learn(name, run, Number(count));
      return parseRunsSince(said);
    },
    async takeLease(name, lease, epoch, records) {
      const line = await sender.send(name, lease.run, records, async (part) => {
        const done = await machine(name).run(takeLeaseScript(name, lease, epoch, part), { stdin: part?.text ?? '' });
        return must(name, 'taking the lease', done).stdout.trim();
      });
      refuseUnsafe(name, line);
      if (line === 'plan-only') throw new FerryError('PLAN_ONLY_LOGIN', { host: name, user: settingsOf(name).user });
      if (line === 'abandoned') throw new FerryError('RUN_SHUT_OUT', { host: name, run: lease.run });
      refuseStale(name, { run: lease.run, epoch }, line);
      return line.startsWith('held ') ? parseLease(line.slice(5)) : null;
    },
    async releaseLease(name, run, epoch, ended) {
      const said = must(name, 'giving the lease back', await machine(name).run(releaseLeaseScript(run, epoch, ended))).stdout;
      refuseStale(name, { run, epoch: epoch ?? 0 }, said);
    },
    async raiseEpoch(name, lease, epoch) {
      const script = raiseEpochScript(lease, epoch, RAISE_WAIT_S);
      const done = await machine(name).run(script, { timeoutMs: RAISE_WAIT_S * 1000 + 60_000 });
      const said = must(name, 'raising the epoch', done).stdout.trim();
      refuseUnsafe(name, said);
      if (said === 'abandoned') throw new FerryError('RUN_SHUT_OUT', { host: name, run: lease.run });
      refuseStale(name, { run: lease.run, epoch }, said);
      return { isThere: said !== 'none', isHeld: said.endsWith(' held'), isBusy: said.startsWith('busy') };
    },
    async journalCopy(name, run) {
      const size = must(name, 'reading the records', await machine(name).run(copySizeScript(run))).stdout.trim();
      if (size === '') return null;
      const chunks: Buffer[] = [];
      for (let offset = 0; offset < Number(size); ) {
        const read = await machine(name).run(copyChunkScript(run, offset));
        const chunk = Buffer.from(must(name, 'reading the records', read).stdout, 'base64');
        if (chunk.byteLength === 0) break;
        chunks.push(chunk);
        offset += chunk.byteLength;
      }
      return Buffer.concat(chunks).toString('utf8');
    },
    async fenceRun(name, run) {
      must(name, 'shutting a run out', await machine(name).run(fenceLeaseScript(run), { timeoutMs: 330_000 }));
    },
    async lease(name) {
      return parseLease((await machine(name).run(readLeaseScript())).stdout);
    },
    traces: async (name, run) => tracesIn(name, must(name, 'looking for a run', await machine(name).run(tracesScript(run)))),
    cleanRun: async (name, run) =>
      tracesIn(name, must(name, 'removing a run', await machine(name).run(cleanScript(run), { timeoutMs: KEEP_LIMIT_MS }))),
    async leftovers(name, alive, isRemoved) {
      const script = leftoversScript(alive, isRemoved);
      return parseLeftovers(must(name, 'looking for what is left', await machine(name).run(script)).stdout);
    },
    rest() {
      for (const one of machines.values()) one.rest();
    },
    async close() {
      await Promise.all([...machines.values()].map((one) => one.close()));
      machines.clear();
    },
  };
}

function tracesIn(host: string, { stdout, code }: RunResult): RunTraces {
  const traces = parseTraces(stdout);
  if (traces) return traces;
  throw new FerryError('COMMAND_FAILED', { host, what: 'looking for a run', code, output: stdout.trim() });
}

/** @throws EPOCH_STALE; COMMAND_FAILED when the switch did its work and failed */
function deadManState(host: string, id: AttemptId, answer: string): DeadManState {
  const [word = '', rest = ''] = [answer.split(' ')[0], answer.slice(answer.indexOf(' ') + 1)];
  if (word === 'stale') throw staleError(host, id, rest);
  if (word === 'none' || word === 'armed' || word === 'confirmed' || word === 'reverted') return word;
  throw new FerryError('COMMAND_FAILED', { host, what: `the dead-man switch of ${id.step}`, code: 1, output: rest });
}
