import { sh } from '../hosts/sh.ts';
import { absent, defineFact, unreadable, value } from './fact.ts';

export interface UnitState {
  /** Runs and is ready. */
  readonly active: boolean;
  /** On its way up, down, or waiting to be started again: not active, but not stopped either. Never part of a prediction. */
  readonly moving: boolean;
  /** As systemctl says it: enabled, disabled, static, masked, indirect, ... */
  readonly enabled: string;
}

/** Whether a systemd unit runs and whether it starts at boot; absent when no such unit is installed. */
export const unitState = defineFact<[name: string], UnitState>({
  kind: 'unitState',
  class: 'state',
  script: (name) => sh`systemctl show -p LoadState -p ActiveState -p UnitFileState -- ${name}`,
  parse(answer) {
    if (answer.code !== 0) return unreadable(answer.stderr.trim() || `systemctl ended with exit code ${answer.code}`);
    const said = new Map(
      answer.stdout.split('\n').map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)] as const),
    );
    const load = said.get('LoadState');
    if (load === 'not-found') return absent;
    if (load !== 'loaded' && load !== 'masked') return unreadable(`systemd cannot load it (${load ?? 'no answer'})`);
    const state = said.get('ActiveState') ?? '';
    return value({
      active: ['active', 'reloading', 'refreshing'].includes(state),
      moving: ['activating', 'deactivating', 'maintenance'].includes(state),
      // Units without an install section of their own (generated, alias) have none here.
      enabled: said.get('UnitFileState') || 'static',
    });
  },
  publish: (found) => ({ active: found.active || found.moving, enabled: found.enabled }),
  meets: (read, predicted) => read.active === predicted.active && !read.moving && read.enabled === predicted.enabled,
  show(published) {
    const state = published as { active: boolean; enabled: string };
    return `${state.active ? 'running' : 'stopped'}, ${state.enabled}`;
  },
});
