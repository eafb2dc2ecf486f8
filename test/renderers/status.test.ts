import { describe, expect, it } from 'vitest';
import type { GateAnswer } from '../../src/engine/gate-state.ts';
import { statusJson, statusText } from '../../src/renderers/status.ts';
import { movePlan, partlyDone, RUN, restoreFailed, runState, stepState } from '../kit/plans.ts';

const page = { width: 100, colour: false };

function failed() {
  const state = runState(movePlan(), {
    done: 3,
    phase: 'paused',
    checkpoints: ['quiesced'],
    pause: { reason: 'failure', step: 'restore', error: restoreFailed },
  });
  state.steps.set(
    'restore',
    stepState({
      step: 'restore',
      host: 'newdb',
      phase: 'failed',
      attempt: 2,
      summary: 'into engine',
      error: restoreFailed,
      startedAt: '2026-01-01T02:00:04.000Z',
      endedAt: '2026-01-01T02:01:04.000Z',
    }),
  );
  return state;
}

describe('the status of a run', () => {
  it('fits one screen: what is done, what failed and why, what is to come, and the ways on', () => {
    expect(statusText(failed(), page)).toBe(
      `
${RUN}   migrate-engine-db   paused (failure at restore)
started 2026-01-01 02:00:00Z, last seen 2026-01-01 02:01:04Z; 3 of 7 steps done

  done      he1     maintenance     global maintenance: none -> global  2.5 s
  done      engine  stop-services   stop ovirt-engine, ovirt-engine-dwhd (2 of 4 run)  2.5 s
  done      engine  dump            engine.dump, about 61 MB (database 204 MB)  2.5 s
  failed    newdb   restore         into engine  attempt 2, 1 min
            error COMMAND_FAILED  restore on newdb ended with exit code 1: pg_restore: error: could
              not write: No space left on device
              Nothing is left of the half restore on newdb.
              ferry resume
  to come   engine  compare         rows and content of every table
  to come   engine  point-at-new    10-setup-database.conf
  to come   engine  start-services  start ovirt-engine, ovirt-engine-dwhd

reached  checkpoint quiesced
writes   the write line is not crossed
leases   engine, he1, newdb
look     ferry status ${RUN} --evidence   (asks the hosts how restore stands; changes nothing)
go on    ferry resume ${RUN}
go back  ferry rollback ${RUN} --plan`.trimStart(),
    );
  });

  const asked = {
    ...{ question: 'Go on?', summary: 'asks', diff: [], undo: null, digest: 'ab', at: '2026-01-01T02:10:00.000Z' },
  };
  const waiting = (answer: GateAnswer | null) =>
    runState(movePlan(), {
      ...{ done: 3, phase: 'paused', gates: { restore: { asked, answer, stale: null, used: false } } },
      pause: { reason: 'gate', step: 'restore', error: { code: 'GATE_WAITS', message: 'restore waits', hint: 'x', left: null } },
    });

  it('calls a step that asks a person one that waits', () => {
    expect(statusText(waiting(null), page)).toMatch(/GATE_WAITS/);
    expect(statusText(waiting(null), page)).toMatch(/^ {2}waits {5}newdb +restore/m);
  });

  it('keeps to its width, a command apart, which can be copied', () => {
    const state = waiting(null);
    state.checkpoints = ['database.prepared', 'database.quiesced', 'database.copied'];
    const lines = statusText(state, { width: 60, colour: false }).split('\n');
    const from = lines.findIndex((line) => line.startsWith('gate '));
    expect(lines.slice(from, from + 7)).toEqual([
      'gate     restore waits for a person since 2026-01-01',
      '         02:10:00Z: Go on?',
      `         ferry approve ${RUN} restore`,
      `         ferry reject ${RUN} restore`,
      'reached  checkpoint database.prepared, database.quiesced,',
      '         database.copied',
      'writes   the write line is not crossed',
    ]);
  });

  it('leads with the no of who said it, once somebody did', () => {
    const said = { by: 'anna@admin2', at: '2026-01-01T02:20:00.000Z', comment: 'counts', question: 'Go on?' };
    const more = { plan: '', digest: null, isFromElsewhere: true };
    const text = statusText(waiting({ verdict: 'rejected', ...said, ...more }), page);
    expect(text).toMatch(/error GATE_REJECTED {2}anna@admin2 said no to step restore at 2026-01-01T02:20:00.000Z: counts/);
    expect(text).not.toContain('GATE_WAITS');
    expect(statusText(waiting({ verdict: 'approved', ...said, ...more }), page)).not.toContain('error GATE');
  });

  it('offers no way back of a run that was cleaned, whose kept bytes are gone', () => {
    const finished = runState(movePlan(), { done: 7, phase: 'finished' });
    expect(statusText(finished, page)).toContain(`ferry rollback ${RUN} --plan`);
    expect(statusText({ ...finished, cleaned: ['engine'], cleanedAt: 'then' }, page)).not.toContain('ferry rollback');
  });

  it('has under a step in doubt what its hosts told, and does not say again how to ask them', () => {
    const { attempt, verdict, hosts, facts } = partlyDone;
    const text = statusText(failed(), page, false, [{ step: 'restore', host: 'newdb', attempt, verdict, hosts, facts }]);
    expect(text).toContain('            It is partly done: a new attempt does the rest; what undoes it is on record.');
    expect(text).not.toContain('--evidence');
    expect(JSON.parse(statusJson(failed(), false, [partlyDone]))).toMatchObject({ doubts: [{ verdict: 'partly' }] });
  });

  it('says what a person decided about a step, and why', () => {
    const state = failed();
    const step = state.steps.get('restore');
    state.steps.set('restore', {
      ...step,
      phase: 'skipped',
      error: null,
      byHand: { what: 'skipped', by: 'me@here', reason: 'no time' },
    } as never);
    expect(statusText(state, page)).toMatch(/skipped +newdb +restore .*\n {12}skipped by me@here: no time\n/);
  });

  it('warns of the way back once the write line is crossed', () => {
    const state = runState(movePlan(), {
      done: 7,
      phase: 'finished',
      leases: [],
      writeLine: { step: 'compare', at: '2026-01-01T02:02:00.000Z', isCrossed: true },
    });
    expect(statusText(state, page)).toContain('writes   the write line was crossed at compare, 2026-01-01 02:02:00Z');
    expect(statusText(state, page)).toContain('--plan   (gives up what was written since the write line)');
    expect(statusText(state, page)).not.toContain('ferry resume');
  });

  it('does not call a step in doubt running when its run is paused', () => {
    const running = runState(movePlan(), { done: 2 });
    running.steps.set('dump', stepState({ step: 'dump', host: 'engine', phase: 'doubt', attempt: 1 }));
    expect(statusText(running, page)).toMatch(/runs +engine +dump/);
    running.phase = 'paused';
    expect(statusText(running, page)).toMatch(/in doubt +engine +dump/);
  });

  it('calls a run interrupted, and its step in doubt, when no Ferry works on it', () => {
    const killed = runState(movePlan(), { done: 2 });
    killed.steps.set('dump', stepState({ step: 'dump', host: 'engine', phase: 'doubt', attempt: 1 }));
    const text = statusText(killed, page, false);
    expect(text).toContain('interrupted: no ferry on this machine works on it');
    expect(text).toMatch(/in doubt +engine +dump/);
    expect(text).toMatch(/go on +ferry resume \S+$/m);
    expect(JSON.parse(statusJson(killed, false))).toMatchObject({ phase: 'running', workedOn: false });
  });

  it('has no command without the places that were typed', () => {
    const told = statusText(failed(), { ...page, places: { stateDir: '/s' } });
    expect(told.match(/ferry [a-z]+/g)?.length).toBeGreaterThan(2);
    expect(told.match(/ferry [a-z]+/g)).toHaveLength(told.match(/ferry .*? --state-dir \/s/g)?.length ?? 0);
  });

  it('tells why a run stands where no step does, and what was kept', () => {
    const state = runState(movePlan(), {
      done: 3,
      phase: 'rolling-back',
      pause: { reason: 'failure', step: null, error: { ...restoreFailed, message: 'newdb is away' } },
      kept: [{ step: 'restore', host: 'newdb', key: null, what: 'database engine is kept as engine_ferry' }],
    });
    const text = statusText(state, page, false);
    expect(text).toContain('rolling back (failure)');
    expect(text).toContain('newdb is away');
    expect(text).toContain('kept     newdb: database engine is kept as engine_ferry');
    expect(text).not.toContain('interrupted');
  });

  it('names the way on that other hands have left', () => {
    const state = runState(movePlan(), {
      done: 3,
      phase: 'paused',
      pause: { reason: 'drift', step: 'restore', error: restoreFailed },
    });
    expect(statusText(state, page)).toContain(`ferry resume ${RUN} --replan`);
  });

  it('ends with the proof after a rollback', () => {
    const proof = [
      { host: 'engine', key: 'unitState(x)', verdict: 'equal', before: 'active', now: 'active', why: null },
    ] as const;
    expect(statusText(runState(movePlan(), { phase: 'rolled-back', leases: [], proof }), page)).toMatch(
      /Proof: 1 fact read again: 1 equal, 0 kept on purpose, 0 differ\.$/,
    );
  });

  it('is plain JSON for programs, with the steps as a list and without the frozen files', () => {
    const json = JSON.parse(statusJson(failed())) as {
      steps: { step: string; phase: string }[];
      sources?: unknown;
      lastAt: string;
    };
    expect(json.steps.map(({ step, phase }) => `${step} ${phase}`).slice(2, 5)).toEqual([
      'dump done',
      'restore failed',
      'compare waiting',
    ]);
    expect(json.sources).toBeUndefined();
    expect(json.lastAt).toBe('2026-01-01T02:01:04.000Z');
  });
});

describe('a run that is to be rolled back by itself', () => {
  it.each([
    ['2999-01-01T02:20:00.000Z', 'rolled back by itself at 2999-01-01 02:20:00Z, unless somebody goes on with it'],
    ['2026-01-01T02:20:00.000Z', 'it was to be rolled back at 2026-01-01 02:20:00Z; the Ferry that waited is gone'],
  ])('says when, or that it was not (%s)', (rollbackAt, words) => {
    const state = failed();
    state.pause = { reason: 'failure', step: 'restore', error: restoreFailed, rollbackAt };
    expect(statusText(state, { width: 140, colour: false })).toContain(words);
  });
});
