import { describe, expect, it } from 'vitest';
import type { Wire } from '../../src/cli/contract.ts';
import type { FailureQuestion } from '../../src/engine/failure-question.ts';
import { FerryError } from '../../src/errors/ferry-error.ts';
import { FindingsError } from '../../src/errors/findings-error.ts';
import { estimatePlan } from '../../src/plan/estimate.ts';
import { modelWire, typed } from '../kit/ferry.ts';
import { movePlan, planLine, restoreFailed } from '../kit/plans.ts';
import { soon } from '../kit/soon.ts';

describe('help', () => {
  it('goes to stdout, groups the verbs, and has examples and exit codes', async () => {
    const ferry = typed('--help');
    expect(await ferry.exit).toBe(0);
    for (const part of ['Write:', 'Move:', 'Look:', 'Around:', 'rollback [run]', 'Examples:', 'Exit codes: 0 done']) {
      expect(ferry.out.text()).toContain(part);
    }
    expect(ferry.err.text()).toBe('');
  });

  it('is shown for no words at all, as wrong usage', async () => {
    const ferry = typed('');
    expect(await ferry.exit).toBe(64);
    expect(ferry.err.text()).toContain('Usage: ferry');
  });

  it('of a verb has its options and examples, without loading anything heavy', async () => {
    const ferry = typed('run --help', { wire: null as never });
    expect(await ferry.exit).toBe(0);
    expect(ferry.out.text()).toMatch(/--on-failure <what>[\s\S]*\$ ferry run move\.yaml --until quiesced/);
  });

  it('has the version', async () => {
    const ferry = typed('--version');
    expect(await ferry.exit).toBe(0);
    expect(ferry.out.text()).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});

describe('a wrong command line', () => {
  const wrong = async (words: string) => {
    const ferry = typed(words);
    expect(await ferry.exit).toBe(64);
    expect(ferry.out.text()).toBe('');
    return ferry.err.text();
  };

  it('is answered with the verb that may have been meant', async () => {
    expect(await wrong('rolback')).toBe(
      "error USAGE_WRONG  Unknown command 'rolback'; did you mean rollback? Nothing was done.\n  ferry --help\n",
    );
  });

  it('is answered with the option that may have been meant, and the help of the verb', async () => {
    expect(await wrong('run move.yaml --untill x')).toContain(
      "Unknown option '--untill'; did you mean --until? Nothing was done.\n  ferry run --help",
    );
  });

  it('is told what is missing or too much', async () => {
    expect(await wrong('plan')).toContain("Missing required argument 'runbook'.");
    expect(await wrong('status one two')).toContain('Too many arguments');
    expect(await wrong('run x --on-failure explode')).toContain(
      '--on-failure must be ask, pause, rollback or "pause 20m, then rollback", not "explode".',
    );
  });

  it('is not repeated where it may hold a secret', async () => {
    const said = await wrong('run move.yaml --secret hunter2');
    expect(said).toContain('--secret must look like --secret name=');
    expect(said).not.toContain('hunter2');
  });
});

describe('plan', () => {
  it('prints the plan and ends with 0, or with 2 when asked whether there are changes', async () => {
    const plain = typed('plan move.yaml');
    expect(await plain.exit).toBe(0);
    expect(plain.out.text()).toContain('7 steps: 3 exact, 4 predicted, 0 opaque. Nothing was changed.');
    expect(await typed('plan move.yaml --detailed-exitcode').exit).toBe(2);
    const idle = modelWire(movePlan({ lines: [planLine({ step: 'a', host: 'db', kind: 'no-change' })] }));
    expect(await typed('plan move.yaml --detailed-exitcode', idle).exit).toBe(0);
  });

  it('ends with 5 when something stands in the way', async () => {
    const blockers = [{ severity: 'error', code: 'DISK_FULL', message: 'No room.' }] as const;
    expect(await typed('plan move.yaml', modelWire(movePlan({ blockers }))).exit).toBe(5);
  });

  it('writes the plan itself with --json', async () => {
    const ferry = typed('plan move.yaml --json');
    await ferry.exit;
    expect(JSON.parse(ferry.out.text())).toEqual({ ...movePlan(), estimate: estimatePlan(movePlan(), []) });
  });

  it.each(['rollback', 'unlock engine', 'takeover', 'clean', 'status'])(
    '%s takes no --role, which it would pass over',
    async (verb) => {
      const { wire, calls } = modelWire();
      const ferry = typed(`${verb} --role engine=e1`, { wire });
      expect(await ferry.exit).toBe(64);
      expect(ferry.err.text()).toContain('--role');
      expect(calls).toEqual([]);
    },
  );

  it('hands on what was typed, and FERRY_STATE_DIR', async () => {
    const { wire, calls } = modelWire();
    await typed(
      'plan move.yaml -i hosts.yaml --role new_db=db7 --role engine=e1,e2 --input a=b=c --secret password=env:PW --inputs values.yaml',
      {
        wire,
        env: { FERRY_STATE_DIR: '/state' },
      },
    ).exit;
    expect(calls).toEqual([
      [
        'plan',
        'move.yaml',
        {
          notify: [],
          inventory: 'hosts.yaml',
          stateDir: '/state',
          inputsFile: 'values.yaml',
          inputs: new Map([['a', 'b=c']]),
          secrets: new Map([['password', 'env:PW']]),
          roles: new Map([
            ['new_db', ['db7']],
            ['engine', ['e1', 'e2']],
          ]),
          yes: false,
          json: false,
          places: {},
        },
      ],
    ]);
  });
});

describe('validate', () => {
  const diagnostics = [
    { severity: 'error', code: 'FIELD_UNKNOWN', message: 'No such field.', at: { file: 'a.yaml', line: 1, column: 1 } } as const,
  ];
  const broken = { validateRunbook: async () => ({ diagnostics, sources: [{ path: 'a.yaml', text: 'stepz: 1' }] }) };

  it('shows what is wrong with its place and ends with 65, else with 0', async () => {
    const ferry = typed('validate a.yaml', modelWire(movePlan(), broken));
    expect(await ferry.exit).toBe(65);
    expect(ferry.out.text()).toContain('a.yaml:1:1\nerror FIELD_UNKNOWN  No such field.\n  1 | stepz: 1\n    | ^\n');
    const sound = typed('validate a.yaml');
    expect(await sound.exit).toBe(0);
    expect(sound.out.text()).toContain('a.yaml is sound');
  });

  it('is what a plan of a broken runbook shows, too', async () => {
    const planRunbook = () =>
      Promise.reject(
        new FindingsError('RUNBOOK_INVALID', { file: 'a.yaml', count: 1 }, diagnostics, [{ path: 'a.yaml', text: 'stepz: 1' }]),
      );
    const ferry = typed('plan a.yaml', modelWire(movePlan(), { planRunbook }));
    expect(await ferry.exit).toBe(65);
    expect(ferry.err.text()).toMatch(/a\.yaml:1:1[\s\S]*error RUNBOOK_INVALID {2}a\.yaml has an error/);
    const asked = typed('plan a.yaml --json', modelWire(movePlan(), { planRunbook }));
    expect(await asked.exit).toBe(65);
    expect(JSON.parse(asked.err.text())).toMatchObject({ error: { code: 'RUNBOOK_INVALID', findings: diagnostics } });
  });
});

describe('run', () => {
  it('tells lines on stderr and the result on stdout where there is no terminal, and asks nothing', async () => {
    const ferry = typed('run move.yaml');
    expect(await ferry.exit).toBe(0);
    expect(ferry.err.text()).toContain('2026-01-01 02:00:00Z  engine  dump: engine.dump, about 61 MB');
    expect(ferry.err.text()).not.toContain('Run it?');
    expect(ferry.out.text()).toMatch(/^Done: migrate-engine-db, 7 steps in 7\.0 s\./);
  });

  it('shows the plan in a terminal and runs on a clear yes alone', async () => {
    const { wire } = modelWire();
    const no = typed('run move.yaml', { wire, terminal: true });
    no.type('\n');
    expect(await no.exit).toBe(5);
    expect(no.err.text()).toMatch(/7 steps: 3 exact[\s\S]*Run it\? \[y\/N\]/);
    expect(no.out.text()).toContain('Refused. Nothing was changed.');
    const yes = typed('run move.yaml', { wire, terminal: true });
    yes.type('yes\n');
    expect(await yes.exit).toBe(0);
    expect(yes.out.text()).toContain('Done: migrate-engine-db');
  });

  it('asks nothing with --yes', async () => {
    const ferry = typed('run move.yaml --yes', { terminal: true });
    expect(await ferry.exit).toBe(0);
    expect(ferry.err.text()).not.toContain('Run it?');
  });

  it('writes one event a line with --json, and nothing else', async () => {
    const ferry = typed('run move.yaml --json');
    expect(await ferry.exit).toBe(0);
    const types = ferry.out
      .text()
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { type: string }).type);
    expect(types[0]).toBe('run.started');
    expect(types.at(-1)).toBe('run.finished');
    expect(ferry.err.text()).toBe('');
  });

  it('ends with the exit code and the hint of the error that refused it', async () => {
    const lease = new FerryError(
      'LEASE_HELD',
      { host: 'engine', run: 'r-1', holder: 'root@admin1', since: '2026-01-01' },
      { left: 'Nothing was changed.' },
    );
    const ferry = typed('run move.yaml', modelWire(movePlan(), { runRunbook: () => Promise.reject(lease) }));
    expect(await ferry.exit).toBe(5);
    expect(ferry.err.text()).toMatch(/error LEASE_HELD[\s\S]*Nothing was changed\.[\s\S]*ferry resume r-1 {3}or/);
  });

  it('tells an error as JSON with --json, and a defect with exit code 1', async () => {
    const ferry = typed(
      'run move.yaml --json',
      modelWire(movePlan(), { runRunbook: () => Promise.reject(new TypeError('oops')) }),
    );
    expect(await ferry.exit).toBe(1);
    expect(JSON.parse(ferry.err.text())).toMatchObject({ error: { code: 'INTERNAL' } });
  });

  it('hands on where to pause and what to do on failure', async () => {
    const { wire, calls } = modelWire();
    await typed('run move.yaml --until quiesced --on-failure rollback --yes', { wire }).exit;
    expect(calls[0]?.[2]).toMatchObject({ until: 'quiesced', onFailure: 'rollback', yes: true });
    await typed(['resume', 'r-1', '--on-failure', 'pause 20m, then rollback', '--wait', '2h'], { wire }).exit;
    expect(calls[1]).toMatchObject(['resume', 'r-1', { onFailure: 'pause 20m, then rollback', waitMs: 7_200_000 }]);
    await typed('resume r-1 --on-failure ask', { wire }).exit;
    expect(calls[2]).toMatchObject(['resume', 'r-1', { onFailure: 'ask' }]);
  });
});

describe('rollback', () => {
  it('shows the way back in a terminal and goes it on a clear yes alone', async () => {
    for (const [answer, exit, verbs] of [
      ['y', 4, ['preview', 'rollback']],
      ['n', 5, ['preview']],
    ] as const) {
      const { wire, calls } = modelWire();
      const ferry = typed('rollback', { wire, terminal: true });
      await soon(() => expect(ferry.err.text()).toContain('Go back? [y/N]'));
      expect(ferry.err.text()).toContain('remove it');
      ferry.type(`${answer}\n`);
      expect(await ferry.exit).toBe(exit);
      expect(calls.map(([verb]) => verb)).toEqual(verbs);
    }
  });

  it.each(['rollback --yes', 'rollback --json'])('asks nothing in a terminal with %s', async (words) => {
    const { wire, calls } = modelWire();
    const ferry = typed(words, { wire, terminal: true });
    expect(await ferry.exit).toBe(4);
    expect(ferry.err.text()).not.toContain('Go back?');
    expect(calls.map(([verb]) => verb)).toEqual(['rollback']);
  });
});

describe('Ctrl-C', () => {
  /** A run in its first step, which ends when told to. */
  const begun = async (words: string, around: { terminal?: boolean } = {}) => {
    const step = Promise.withResolvers<void>();
    const { wire } = modelWire(movePlan(), {}, () => step.promise);
    const ferry = typed(words, { wire, ...around });
    await soon(() => expect(ferry.err.text()).toContain('maintenance'));
    return { ...ferry, endStep: () => step.resolve() };
  };

  it('lets the running step end and pauses; without a terminal nothing is asked', async () => {
    const ferry = await begun('run move.yaml');
    ferry.press('SIGINT');
    ferry.endStep();
    expect(await ferry.exit).toBe(3);
    expect(ferry.err.text()).toContain('No new step starts.');
    expect(ferry.out.text()).toContain('Paused: interrupted, no step runs any more.');
    expect(ferry.left).toEqual([]);
  });

  it('pressed twice leaves at once with 130', async () => {
    const ferry = await begun('run move.yaml');
    ferry.press('SIGINT');
    ferry.press('SIGINT');
    await soon(() => expect(ferry.left).toEqual([130]));
    expect(ferry.err.text()).toContain('Detached.');
  });

  it('asks in a terminal whether to wait, to detach or to cancel', async () => {
    const ferry = await begun('run move.yaml --yes', { terminal: true });
    ferry.press('SIGINT');
    await soon(() => expect(ferry.err.text()).toContain('Wait for it (Enter), detach (d) or cancel it (c)?'));
    ferry.type('d\n');
    await soon(() => expect(ferry.left).toEqual([130]));
  });

  it('ends what runs when the person cancels, and not before', async () => {
    const cancelled = Promise.withResolvers<void>();
    const asked = Promise.withResolvers<AbortSignal | undefined>();
    const { wire } = modelWire(movePlan(), {}, () => cancelled.promise);
    const runRunbook: Wire['runRunbook'] = (path, options, io) => {
      asked.resolve(io.cancel);
      io.cancel?.addEventListener('abort', () => cancelled.resolve());
      return wire.runRunbook(path, options, io);
    };
    const ferry = typed('run move.yaml --yes', { wire: { ...wire, runRunbook }, terminal: true });
    await soon(() => expect(ferry.err.text()).toContain('maintenance'));
    ferry.press('SIGINT');
    await soon(() => expect(ferry.err.text()).toContain('cancel it (c)?'));
    expect((await asked.promise)?.aborted).toBe(false);
    ferry.type('c\n');
    expect(await ferry.exit).toBe(3);
    expect((await asked.promise)?.aborted).toBe(true);
    expect(ferry.err.text()).toContain('Ending what runs on its hosts.');
    expect(ferry.left).toEqual([]);
  });

  it('takes its question back when the step ends before the answer', async () => {
    const ferry = await begun('run move.yaml --yes', { terminal: true });
    ferry.press('SIGINT');
    await soon(() => expect(ferry.err.text()).toContain('Wait for it (Enter), detach'));
    ferry.endStep();
    expect(await ferry.exit).toBe(3);
    expect(ferry.left).toEqual([]);
    expect(ferry.err.text()).toMatch(/global maintenance: none -> global {2}1\.0 s/);
  });

  it('is heard no more once the run is over', async () => {
    const ferry = typed('run move.yaml');
    await ferry.exit;
    expect(ferry.signals.listenerCount('SIGINT') + ferry.signals.listenerCount('SIGTERM')).toBe(0);
  });

  it.each(['SIGINT', 'SIGTERM'] as const)('leaves at once while a run is still planned, and begins none: %s', async (signal) => {
    const planned = Promise.withResolvers<void>();
    const heard = Promise.withResolvers<boolean>();
    const runRunbook: Wire['runRunbook'] = async (_path, _options, io) => {
      await planned.promise;
      heard.resolve(io.signal.aborted);
      return { outcome: 'refused', run: null, error: null, exit: 130 };
    };
    const ferry = typed('run move.yaml --yes', { wire: modelWire(movePlan(), { runRunbook }).wire, terminal: true });
    await soon(() => expect(ferry.signals.listenerCount(signal)).toBe(1));
    ferry.press(signal);
    expect(ferry.left).toEqual([130]);
    expect(ferry.err.text()).toBe('\nNothing was changed.\n');
    planned.resolve();
    expect(await heard.promise).toBe(true);
    await ferry.exit;
  });

  it('is what SIGTERM does too, without a question', async () => {
    const ferry = await begun('run move.yaml --yes', { terminal: true });
    ferry.press('SIGTERM');
    ferry.endStep();
    expect(await ferry.exit).toBe(3);
    expect(ferry.err.text()).not.toContain('Wait for it');
  });
});

describe('the other verbs', () => {
  it('show what a rollback would do, or do it', async () => {
    const { wire, calls } = modelWire();
    const preview = typed('rollback --plan --to quiesced', { wire });
    expect(await preview.exit).toBe(0);
    expect(preview.out.text()).toContain('to checkpoint quiesced: 1 step, last first, about 1 s.');
    expect(await typed('rollback r-1 --discard-writes', { wire }).exit).toBe(4);
    expect(calls).toMatchObject([
      ['preview', undefined, { to: 'quiesced', discardWrites: false }],
      ['rollback', 'r-1', { discardWrites: true }],
    ]);
  });

  it('show a status as text and as JSON', async () => {
    const text = typed('status');
    expect(await text.exit).toBe(0);
    expect(text.out.text()).toContain('2 of 7 steps done');
    const json = typed('status --json');
    await json.exit;
    expect(JSON.parse(json.out.text())).toMatchObject({ phase: 'running' });
  });

  it('show the records of a step, or suggest the step that may have been meant', async () => {
    const found = typed('log r-1 dump');
    expect(await found.exit).toBe(0);
    expect(found.out.text()).toContain('step.verified  dump on engine');
    const missed = typed('log r-1 dunp');
    expect(await missed.exit).toBe(64);
    expect(missed.err.text()).toContain('did you mean dump?');
  });

  it('ask in a terminal before a run is given up for good', async () => {
    for (const [answer, exit, verbs] of [
      ['n', 5, []],
      ['y', 0, ['unlock']],
    ] as const) {
      const { wire, calls } = modelWire();
      const ferry = typed('unlock engine --abandon', { wire, terminal: true });
      await soon(() => expect(ferry.err.text()).toContain('neither resumed nor rolled back any more. [y/N]'));
      ferry.type(`${answer}\n`);
      expect(await ferry.exit).toBe(exit);
      expect(calls.map(([verb]) => verb)).toEqual(verbs);
    }
  });

  it('give a host free, and abandon a run only when told so', async () => {
    const { wire, calls } = modelWire();
    const ferry = typed('unlock engine', { wire });
    expect(await ferry.exit).toBe(0);
    expect(ferry.out.text()).toBe('engine is free.\n');
    await typed('unlock engine --abandon', { wire }).exit;
    expect(calls).toEqual([
      ['unlock', 'engine', false],
      ['unlock', 'engine', true],
    ]);
  });

  it('describe the actions there are', async () => {
    const list = typed('actions');
    expect(await list.exit).toBe(0);
    expect(list.out.text()).toMatch(/^service\.stop +Stop systemd units/m);
    const one = typed('actions service.stop');
    expect(await one.exit).toBe(0);
    expect(one.out.text()).toMatch(/units +list of systemd units, required/);
    const missed = typed('actions service.stpo');
    expect(await missed.exit).toBe(64);
    expect(missed.err.text()).toBe(
      'error ACTION_NAME_WRONG  There is no action "service.stpo"; did you mean service.stop? Nothing was done.\n  ferry actions service.stop\n',
    );
  });

  it('write the schema of runbooks, or say where it is', async () => {
    const schema = typed('schema');
    expect(await schema.exit).toBe(0);
    expect(JSON.parse(schema.out.text())).toMatchObject({ title: 'a runbook' });
    const path = typed('schema inventory --path');
    await path.exit;
    expect(path.out.text()).toMatch(/schemas\/inventory\.schema\.json\n$/);
  });
});

describe('a step that fails in front of a person', () => {
  const question = (parts: Partial<FailureQuestion> = {}): FailureQuestion => ({
    ...{
      step: 'restore',
      host: 'newdb',
      title: 'Restore',
      error: restoreFailed,
      outcome: 'failed',
      refusal: null,
      canMarkDone: true,
    },
    skip: { refused: null, lacking: [], warnings: ['1 output will be missing, and what needs one is refused: compare (rows).'] },
    back: ['quiesced', null],
    preview: async (to) => ({ run: 'r-1', to, steps: [], ms: 0, irreversible: [], newer: [], writeLine: null }),
    ...parts,
  });
  /** Asks once, and ends with what was answered. */
  const asking = (asked: FailureQuestion, answers: unknown[]) =>
    modelWire(undefined, {
      async resumeRun(_run, _options, io) {
        answers.push(io.askFailure ? await io.askFailure(asked) : 'not asked');
        return { outcome: 'paused', run: 'r-1', error: null, exit: 3 };
      },
    });
  const answer = async (keys: readonly string[], asked = question(), words = 'resume') => {
    const answers: unknown[] = [];
    const ferry = typed(words, { ...asking(asked, answers), terminal: true });
    for (const key of keys) {
      const before = ferry.err.text().length;
      await soon(() => expect(ferry.err.text()).toMatch(/(\?|\)|\]) $/));
      ferry.type(`${key}\n`);
      await soon(() => expect(ferry.err.text().length).toBeGreaterThan(before));
    }
    await ferry.exit;
    return { answer: answers[0], text: ferry.err.text() };
  };

  it('is tried again, marked done, or left as it is; Enter leaves it', async () => {
    expect((await answer(['r'])).answer).toEqual({ answer: 'retry' });
    expect((await answer(['done'])).answer).toEqual({ answer: 'mark-done' });
    expect((await answer(['p'])).answer).toEqual({ answer: 'pause' });
    const { answer: entered, text } = await answer(['']);
    expect(entered).toEqual({ answer: 'pause' });
    expect(text).toContain('restore on newdb failed. What becomes of it?');
  });

  it('is skipped only with a reason, after what will be missing was told', async () => {
    const { answer: given, text } = await answer(['s', '', 'what', 's', 'disk full']);
    expect(given).toEqual({ answer: 'skip', reason: 'disk full' });
    expect(text).toContain('1 output will be missing, and what needs one is refused: compare (rows).');
    const refused = question({ skip: { refused: 'it is a question', lacking: [], warnings: [] } });
    expect((await answer(['s', ''], refused)).answer).toEqual({ answer: 'pause' });
  });

  it('is taken back to where they choose, after they saw what that undoes', async () => {
    const { answer: given, text } = await answer(['b', '1', 'y']);
    expect(given).toEqual({ answer: 'back', to: 'quiesced' });
    expect(text).toContain('Rollback of r-1 to checkpoint quiesced');
    expect((await answer(['b', '2', 'n', 'b', '', 'p'])).answer).toEqual({ answer: 'pause' });
    const away = question({ preview: () => Promise.reject(new FerryError('RUN_UNKNOWN', { run: 'r-1' })) });
    expect((await answer(['b', '2', ''], away)).answer).toEqual({ answer: 'pause' });
  });

  it('says why the answer before was not accepted, and does not offer what facts cannot tell', async () => {
    const { text } = await answer([''], question({ refusal: restoreFailed, canMarkDone: false, outcome: 'unknown' }));
    expect(text).toContain('error COMMAND_FAILED');
    expect(text).toContain('restore on newdb is in doubt.');
    expect(text).not.toContain('  d  ');
    expect(text).toContain('retry, skip, back or pause? ');
  });

  it('says that a word is no answer, also one that is not offered here', async () => {
    const skip = { refused: 'it is a question', lacking: [], warnings: [] };
    const { text } = await answer(['wat', 'done', ''], question({ canMarkDone: false, skip }));
    expect(text).toContain('retry, back or pause? ');
    expect(text).toContain('There is no answer "wat" here.');
    expect(text).toContain('There is no answer "done" here.');
  });

  it('is not asked about with --yes, --json or a policy, or where nobody sits', async () => {
    for (const words of ['resume --yes', 'resume --json', 'resume --on-failure pause'])
      expect((await answer([], question(), words)).answer).toBe('not asked');
    expect((await answer(['r'], question(), 'resume --yes --on-failure ask')).answer).toEqual({ answer: 'retry' });
    const answers: unknown[] = [];
    await typed('resume', asking(question(), answers)).exit;
    expect(answers).toEqual(['not asked']);
  });
});

describe('what is decided about a step by words', () => {
  it('is handed on with its reason', async () => {
    const { wire, calls } = modelWire();
    await typed(['resume', 'r-1', '--skip', 'compare', '--reason', ' by hand '], { wire }).exit;
    await typed('resume --mark-done stop-services', { wire }).exit;
    expect(calls).toMatchObject([
      ['resume', 'r-1', { skip: { step: 'compare', reason: 'by hand' } }],
      ['resume', undefined, { markDone: 'stop-services' }],
    ]);
  });

  it('needs a reason to be skipped, and is one thing at a time', async () => {
    for (const [words, said] of [
      ['resume --skip compare', '--skip needs a reason'],
      ['resume --reason why', '--reason is for --skip'],
      ['resume --skip a --reason b --mark-done c', 'one or the other'],
    ] as const) {
      const ferry = typed(words);
      expect(await ferry.exit).toBe(64);
      expect(ferry.err.text()).toContain(said);
    }
  });
});
