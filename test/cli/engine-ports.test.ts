import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { makePorts } from '../../src/cli/engine-ports.ts';
import { progressOf } from '../../src/engine/act.ts';
import type { Event } from '../../src/engine/events.ts';
import type { FailureQuestion } from '../../src/engine/failure-question.ts';
import type { RunContext } from '../../src/engine/run-context.ts';
import { Secret } from '../../src/hosts/secret.ts';
import { ModelRun, runbookOf } from '../kit/model-run.ts';
import { ModelJournal, ModelWorld } from '../kit/model-world.ts';

const stateDir = mkdtempSync(join(tmpdir(), 'ferry-ports-'));
afterAll(() => rmSync(stateDir, { recursive: true }));

describe('the question what becomes of a step that failed', () => {
  const ask = async (parts: { policy?: string; typed?: string; isThere?: boolean }) => {
    const world = new ModelWorld();
    const rested: string[] = [];
    world.rest = () => void rested.push('rest');
    const runbook = { ...runbookOf([]), ...(parts.policy === undefined ? {} : { onFailure: parts.policy }) };
    const person = parts.isThere === false ? {} : { askFailure: async () => ({ answer: 'retry' }) as const };
    const ports = makePorts({
      ...{ journal: new ModelJournal(world), fleet: world, runbook, actions: new Map(), inputs: new Map(), stateDir, yes: false },
      onFailure: parts.typed,
      io: { emit: () => undefined, signal: new AbortController().signal, ...person },
    });
    return { answer: (await ports.askFailure?.({} as FailureQuestion)) ?? null, rested: rested.length };
  };

  it('is put to whoever sits there, and holds no connection meanwhile', async () => {
    expect(await ask({})).toEqual({ answer: { answer: 'retry' }, rested: 1 });
    expect(await ask({ isThere: false })).toEqual({ answer: null, rested: 0 });
  });

  it('is answered already by a runbook that says what becomes of a failure, unless it was asked for', async () => {
    expect(await ask({ policy: 'rollback' })).toEqual({ answer: null, rested: 0 });
    expect(await ask({ policy: 'rollback', typed: 'ask' })).toMatchObject({ answer: { answer: 'retry' } });
  });
});

describe('what a long command prints', () => {
  it('is told without a secret that stands in two pieces of it, of each of two commands at once', () => {
    const run = new ModelRun(runbookOf([]), {});
    const told: (string | null)[] = [];
    const ports = makePorts({
      ...{ journal: run.journal, fleet: run.world, runbook: run.runbook, actions: new Map(), stateDir, yes: false },
      inputs: new Map([['password', new Secret('correct\nhorse', 'input:password')]]),
      io: {
        emit: (event) => void (event.type === 'step.progressed' && told.push(event.log)),
        signal: new AbortController().signal,
      },
    });
    const report = progressOf({ emit: (event) => ports.emit(ports.redact(event) as Event), ports } as RunContext, 'send', 'a');
    for (const of of ['send@a', 'send@b']) report({ log: { of, text: 'sent\ncorrect\n', after: 'nothing' } });
    for (const of of ['send@a', 'send@b']) report({ log: { of, text: 'horse\nend\n', after: 'last' } });
    expect(told).toEqual(['sent', 'sent', '[secret]\nend', '[secret]\nend']);
  });
});

describe('a question that only a person answers', () => {
  it('is put to whoever sits there, and with --yes to nobody: a script would wait for ever', async () => {
    const world = new ModelWorld();
    const personal = (yes: boolean) =>
      makePorts({
        ...{ journal: new ModelJournal(world), fleet: world, runbook: runbookOf([]), actions: new Map(), inputs: new Map() },
        ...{ stateDir, yes, io: { emit: () => undefined, signal: new AbortController().signal, ask: async () => true } },
      }).askPerson('Go back all the same?');
    expect(await personal(false)).toBe(true);
    expect(await personal(true)).toBe(null);
  });
});
