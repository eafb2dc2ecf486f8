import { FerryError } from '../errors/ferry-error.ts';
import type { HostSettings } from '../inventory/inventory.ts';
import type { Transport } from '../transports/transport.ts';
import { ActingMachine } from './acting-machine.ts';
import { effectsScript, endDetachedScript } from './detached-scripts.ts';
import { exitCodesScript, wholeStdin } from './effect-scripts.ts';
import type { Effect, Fleet } from './fleet.ts';
import type { RunResult } from './host.ts';
import { keepScript } from './keep.ts';
import { attemptDir, FERRY_DIR } from './layout.ts';
import { fenceLeaseScript, knowsRunScript, parseLease, readLeaseScript, releaseLeaseScript, takeLeaseScript } from './lease.ts';
import { hostInfo, Machine } from './machine.ts';
import { whyLost } from './postmortem.ts';
import { sh } from './sh.ts';

// A data directory that undo needs is copied whole; what hangs is ended by the person who waits.
const KEEP_LIMIT_MS = 6 * 3_600_000;

/** A fleet over the hosts of an inventory; `transportOf` says how bytes reach each. Nothing connects before it is used. */
export function openFleet(hosts: ReadonlyMap<string, HostSettings>, transportOf: (settings: HostSettings) => Transport): Fleet {
  const machines = new Map<string, Machine>();
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
      output: result.stderr.trim().split('\n').slice(-4).join('\n'),
    });
  };

  return {
    info: (name) => hostInfo(settingsOf(name)),
    host: machine,
    acting: (name, id, signal, report) => new ActingMachine(machine(name), id, signal, report),
    async openAttempt(name, id, intent) {
      // stdin, because an intent may be longer than an argument can be.
      const script = sh`umask 077; ${wholeStdin(Buffer.byteLength(intent))}
A=${attemptDir(id)}; mkdir -p "$A" || exit 1; exec 8>>"$A/intent.lock"; flock -x 8; [ -e "$A/intent.json" ] && { echo exists; exit 0; }
cat >"$A/intent.new" && sync "$A/intent.new" && mv "$A/intent.new" "$A/intent.json" && echo opened`;
      return must(name, 'opening an attempt', await machine(name).run(script, { stdin: intent })).stdout.trim() === 'opened';
    },
    async effects(name, id) {
      const lines = must(name, 'reading an attempt', await machine(name).run(effectsScript(id)))
        .stdout.trim()
        .split('\n');
      if (lines[0] !== 'found') return null;
      return lines.slice(1).map((line): Effect => {
        const [effect = '', kind, state, ...rest] = line.split(' ');
        const found = { name: effect, detached: kind === 'detached' };
        return state === 'exited' || state === 'running'
          ? { ...found, state }
          : { ...found, state: 'lost', why: whyLost(rest.join(' ')) };
      });
    },
    async exitCodes(name, attempts, effect) {
      const { stdout } = must(name, 'reading exit codes', await machine(name).run(exitCodesScript(attempts, effect)));
      return stdout.split('\n').filter(Boolean).map(Number);
    },
    async endDetached(name, id) {
      must(name, 'ending detached commands', await machine(name).run(endDetachedScript(id), { timeoutMs: 150_000 }));
    },
    async keep(name, id, requests, generation = 0) {
      const kept = await machine(name).run(keepScript(id, requests, generation), { timeoutMs: KEEP_LIMIT_MS });
      const result = must(name, 'keeping what undo needs', kept);
      if (result.stdout.startsWith('stale '))
        throw new FerryError('EPOCH_STALE', { host: name, run: id.run, ours: id.epoch, theirs: result.stdout.slice(6).trim() });
      return result.stdout.split('\n').flatMap((line) => {
        const [word, kept, sha256] = line.split(' ');
        return word === 'kept' && kept && sha256 ? [{ name: kept, sha256 }] : [];
      });
    },
    async knowsRun(name, run) {
      return must(name, 'looking for a run', await machine(name).run(knowsRunScript(name, run))).stdout.trim() === 'yes';
    },
    async takeLease(name, lease, epoch) {
      const line = must(name, 'taking the lease', await machine(name).run(takeLeaseScript(name, lease, epoch))).stdout.trim();
      if (line.startsWith('unsafe '))
        throw new FerryError('HOST_FOLDER_UNSAFE', { host: name, folder: FERRY_DIR, why: line.slice(7) });
      if (line === 'abandoned') throw new FerryError('RUN_SHUT_OUT', { host: name, run: lease.run });
      return line.startsWith('held ') ? parseLease(line.slice(5)) : null;
    },
    async releaseLease(name, run) {
      must(name, 'giving the lease back', await machine(name).run(releaseLeaseScript(run)));
    },
    async fenceRun(name, run) {
      must(name, 'shutting a run out', await machine(name).run(fenceLeaseScript(run), { timeoutMs: 330_000 }));
    },
    async lease(name) {
      return parseLease((await machine(name).run(readLeaseScript())).stdout);
    },
    async close() {
      await Promise.all([...machines.values()].map((one) => one.close()));
      machines.clear();
    },
  };
}
