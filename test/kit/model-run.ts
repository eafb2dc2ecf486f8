import type { Action } from '../../src/actions/action.ts';
import type { OutputValue } from '../../src/actions/outputs.ts';
import type { EventBody } from '../../src/engine/events.ts';
import type { FailureAnswer, FailureQuestion } from '../../src/engine/failure-question.ts';
import { foldRun } from '../../src/engine/fold.ts';
import type { Ports } from '../../src/engine/ports.ts';
import { previewSteps, type StepBack } from '../../src/engine/preview-rollback.ts';
import { planEdited, recordRevision } from '../../src/engine/revise.ts';
import { rollBack } from '../../src/engine/rollback.ts';
import { type Ending, executeRun } from '../../src/engine/run.ts';
import { RunContext } from '../../src/engine/run-context.ts';
import { rollbackTarget, wayBack } from '../../src/engine/way-back.ts';
import { FerryError } from '../../src/errors/ferry-error.ts';
import { RedactedLog } from '../../src/hosts/redacted-log.ts';
import { Redactor } from '../../src/hosts/redactor.ts';
import { Secret } from '../../src/hosts/secret.ts';
import { digestOf, type Json } from '../../src/lib/json.ts';
import { makePlan } from '../../src/plan/make-plan.ts';
import { diffRunbooks } from '../../src/runbook/diff-runbooks.ts';
import type { DeadManSpec, Runbook, Scope, Step } from '../../src/runbook/runbook.ts';
import { modelActions } from './model-actions.ts';
import { cell, Died, ModelJournal, ModelWorld } from './model-world.ts';

const at = { file: 'model.yaml', line: 1, column: 1 };
const scope: Scope = {
  prefix: '',
  inputs: new Map(),
  roles: new Map([
    ['a', 'a'],
    ['b', 'b'],
  ]),
};

/** One step of a model runbook; needs the step before it unless told otherwise. */
export function step(
  id: string,
  uses: string,
  params: Json,
  more: { role?: string; needs?: string[]; confirm?: string; deadMan?: DeadManSpec } = {},
): Step {
  return {
    id,
    uses,
    with: { kind: 'literal', value: params, at },
    role: more.role ?? 'a',
    needs: more.needs ?? [],
    scope,
    at,
    ...(more.confirm ? { confirm: more.confirm } : {}),
    ...(more.deadMan ? { deadMan: more.deadMan } : {}),
  };
}

export function runbookOf(steps: Step[], checkpoints: { name: string; afterStep: number }[] = []): Runbook {
  const chained = steps.map((one, index) => ({
    ...one,
    needs: one.needs.length > 0 || index === 0 ? one.needs : [steps[index - 1]?.id ?? ''],
  }));
  return {
    name: 'model',
    inputs: [],
    roles: [],
    done: [],
    steps: chained,
    checkpoints: checkpoints.map((one) => ({ ...one, at })),
    root: scope,
    sources: [],
    warnings: [],
    digest: 'd',
  };
}

type ByHand = Pick<Parameters<typeof executeRun>[1], 'skip' | 'markDone'>;

/** A run of the engine on the model world, which can be killed at a crash point and resumed by a new controller. */
export class ModelRun {
  readonly world = new ModelWorld();
  journal = new ModelJournal(this.world);
  /** What a person says where `--yes` does not do; the same as `answer` unless set. */
  person: boolean | null | undefined;
  /** Whether `--yes` was given, and how long a question waits where nobody sits. */
  yes = false;
  waitMs: number | null = null;
  /** What happens in the world while a person thinks about a question. */
  whileAsked: () => unknown = () => undefined;
  /** What a person does who cancels; to be renewed for the next controller. */
  cancel = new AbortController();
  /** What a person answers when steps fail, in order; then nobody is there any more. */
  readonly failureAnswers: FailureAnswer[] = [];
  readonly asked: FailureQuestion[] = [];
  readonly events: EventBody[] = [];
  runbook: Runbook;
  readonly inputs = new Map<string, OutputValue>();
  actions: ReadonlyMap<string, Action> = modelActions;
  answer: boolean | null = true;
  /** Role -> host. */
  roles: ReadonlyMap<string, string> = new Map([
    ['a', 'a'],
    ['b', 'b'],
  ]);
  /** Crash points passed, in order: `after-record step.intended:x`; in the middle of a command, `in-effect x:set`. */
  readonly passed: string[] = [];
  /** A crash point at which a person presses Ctrl-C. */
  stopAt: string | null = null;
  readonly #run: string;

  constructor(runbook: Runbook, cells: Record<string, string> = {}, run = 'r-model') {
    this.runbook = runbook;
    this.#run = run;
    for (const [key, content] of Object.entries(cells)) this.world.cells.set(key, content);
  }

  #ports(dieAt: number | string | undefined): Ports {
    this.world.dead = false;
    let count = 0;
    const stop = new AbortController();
    const redactor = new Redactor();
    const learn = (value: unknown) => {
      if (value instanceof Secret) redactor.add(value);
    };
    for (const value of this.inputs.values()) learn(value);
    const crash = (point: string, about: string) => {
      this.passed.push(`${point} ${about}`);
      if (`${point} ${about}` === this.stopAt) stop.abort();
      count += 1;
      if (count !== dieAt && `${point} ${about}` !== dieAt) return;
      this.world.dead = true;
      throw new Died(`at ${point} ${about}`);
    };
    this.world.inEffect = (about) => crash('in-effect', about);
    return {
      journal: this.journal,
      fleet: this.world,
      runbook: this.runbook,
      actions: this.actions,
      inputs: this.inputs,
      read: (host, refs) => this.world.read(host, refs),
      factKind: async () => cell.definition,
      emit: (event) => void this.events.push(event),
      redact: (value) => redactor.redactTexts(value),
      redactedLog: () => {
        const log = new RedactedLog(redactor);
        return (piece) => log.take(piece);
      },
      learn,
      secrets: {
        hash: digestOf,
        matches: (value, hashed) => digestOf(value) === hashed,
        canCompare: (hashed) => !hashed.startsWith('other:'),
      },
      gates: { yes: this.yes, canAsk: this.answer !== null, waitMs: this.waitMs },
      ask: async () => {
        await this.whileAsked();
        return this.answer;
      },
      askPerson: async () => (this.person === undefined ? this.answer : this.person),
      askFailure:
        this.failureAnswers.length === 0
          ? null
          : async (question) => {
              this.asked.push(question);
              return this.failureAnswers.shift() ?? null;
            },
      holder: 'me@model',
      signal: AbortSignal.any([this.cancel.signal, stop.signal]),
      cancel: this.cancel.signal,
      crash,
    };
  }

  /** Starts the run; with `dieAt`, the controller dies at that crash point, by its name or counted from 1. */
  async start(dieAt?: number | string): Promise<Ending | 'died'> {
    const ports = await this.begin(dieAt);
    return this.#work(ports, (context) => executeRun(context, { resumed: false }));
  }

  /** Puts the run on record, and does nothing of it yet. */
  async begin(dieAt?: number | string): Promise<Ports> {
    const ports = this.#ports(dieAt);
    const hosts = [...this.roles].map(([role, host]) => [role, this.world.info(host)] as const);
    const plan = await makePlan({
      runbook: this.runbook,
      actions: this.actions,
      inputs: this.inputs,
      roles: new Map(hosts),
      madeAt: '',
      read: ports.read,
    });
    this.journal.create(this.#run, this.runbook.name, {
      type: 'run.started',
      epoch: 1,
      body: { plan, path: '', sources: [], inventory: '', secrets: {} } as unknown as { [name: string]: Json },
    });
    return ports;
  }

  resume(dieAt?: number | string, until?: string, replan = false, byHand: ByHand = {}): Promise<Ending | 'died'> {
    return this.#work(this.#ports(dieAt), (context) => executeRun(context, { resumed: true, until, replan, ...byHand }));
  }

  /** Takes an edited runbook for the run's. */
  async revise(edited: Runbook, dieAt?: number): Promise<Ending | 'died'> {
    const roles = new Map(['a', 'b'].map((name) => [name, this.world.info(name)] as const));
    const ended = await this.#work(this.#ports(dieAt), async (context) => {
      const read = context.ports.read;
      const { actions, inputs } = this;
      const plan = await planEdited(context, { runbook: edited, actions, inputs, roles, madeAt: '', read });
      recordRevision(context, { plan, sources: [], machines: {}, secrets: {} }, diffRunbooks(this.runbook, edited));
      return { outcome: 'paused', error: null, exit: 0 };
    });
    if (this.journal.read(this.#run).some(({ type }) => type === 'run.revised')) this.runbook = edited;
    return ended;
  }

  /** Does something with the run as a controller of its own would. */
  inContext(work: (context: RunContext) => Promise<Ending>): Promise<Ending | 'died'> {
    return this.#work(this.#ports(undefined), work);
  }

  rollBack(
    options: { to?: string; discardWrites?: boolean; overNewer?: boolean } = {},
    dieAt?: number | string,
  ): Promise<Ending | 'died'> {
    return this.#work(this.#ports(dieAt), (context) =>
      rollBack(context, { to: options.to, discardWrites: options.discardWrites ?? false, overNewer: options.overNewer ?? false }),
    );
  }

  /** Looks at a rollback and changes nothing; the host that is `silent` gives no answer. */
  async preview(to?: string, silent?: string): Promise<StepBack[]> {
    const ports = this.#ports(undefined);
    const read: Ports['read'] = async (host, refs) => {
      if (host !== silent) return ports.read(host, refs);
      throw new FerryError('HOST_UNREACHABLE', { host, address: host, port: 22, why: 'it is off' });
    };
    const context = new RunContext({ ...ports, read }, this.state);
    return previewSteps(context, wayBack(context, rollbackTarget(context.state, to)));
  }

  get state() {
    return foldRun(this.#run, this.journal.read(this.#run));
  }

  async #work(ports: Ports, work: (context: RunContext) => Promise<Ending>): Promise<Ending | 'died'> {
    try {
      return await work(new RunContext(ports, this.state));
    } catch (thrown) {
      if (this.world.dead) return 'died';
      throw thrown;
    }
  }
}
