import { FerryError } from '../errors/ferry-error.ts';
import type { HostSettings } from '../inventory/inventory.ts';
import type { Transport } from '../transports/transport.ts';
import { ActingMachine } from './acting-machine.ts';
import { effectsScript, endDetachedScript } from './effect-scripts.ts';
import type { Effect, Fleet } from './fleet.ts';
import type { RunResult } from './host.ts';
import { keepScript } from './keep.ts';
import { attemptDir } from './layout.ts';
import { fenceLeaseScript, parseLease, readLeaseScript, releaseLeaseScript, takeLeaseScript } from './lease.ts';
import { hostInfo, Machine } from './machine.ts';
import { sh } from './sh.ts';

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
      const script = sh`umask 077; A=${attemptDir(id)}; mkdir "$A" 2>/dev/null || { [ -d "$A" ] && echo exists && exit 0; exit 1; }
cat >"$A/intent.json"; sync "$A/intent.json"; echo opened`;
      return must(name, 'opening an attempt', await machine(name).run(script, { stdin: intent })).stdout.trim() === 'opened';
    },
    async effects(name, id) {
      const lines = must(name, 'reading an attempt', await machine(name).run(effectsScript(id)))
        .stdout.trim()
        .split('\n');
      if (lines[0] !== 'found') return null;
      return lines.slice(1).map((line): Effect => {
        const [effect = '', kind, state] = line.split(' ');
        return { name: effect, detached: kind === 'detached', state: state === 'exited' || state === 'running' ? state : 'lost' };
      });
    },
    async endDetached(name, id) {
      must(name, 'ending detached commands', await machine(name).run(endDetachedScript(id), { timeoutMs: 150_000 }));
    },
    async keep(name, run, step, requests) {
      const result = must(name, 'keeping what undo needs', await machine(name).run(keepScript(run, step, requests)));
      return result.stdout.split('\n').flatMap((line) => {
        const [word, kept, sha256] = line.split(' ');
        return word === 'kept' && kept && sha256 ? [{ name: kept, sha256 }] : [];
      });
    },
    async takeLease(name, lease, epoch) {
      const line = must(name, 'taking the lease', await machine(name).run(takeLeaseScript(lease, epoch))).stdout.trim();
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
