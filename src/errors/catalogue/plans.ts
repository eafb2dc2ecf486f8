import { entry } from '../entry.ts';

/** Errors about plans kept in files. */
export const planErrors = {
  PLAN_FILE_INVALID: entry<{ file: string; why: string }>({
    title: 'A saved plan cannot be used',
    message: (a) => `The plan in ${a.file} cannot be used: ${a.why}.`,
    hint: () => 'Make it anew:  ferry plan RUNBOOK --out FILE',
    exit: 65,
    example: { file: 'move.plan', why: 'it was changed after it was saved' },
  }),
  PLAN_FILE_UNWRITABLE: entry<{ file: string; why: string }>({
    title: 'A plan cannot be saved there',
    message: (a) => `The plan cannot be written to ${a.file}: ${a.why}. What is there is unchanged.`,
    exit: 64,
    example: { file: 'inventory.yaml', why: 'something else is there already' },
  }),
  PLAN_INPUT_GIVEN: entry<{ option: string; file: string }>({
    title: 'A saved plan has its inputs',
    message: (a) => `${a.file} is a saved plan; its inputs and hosts are part of it, so ${a.option} cannot be given.`,
    hint: () => 'Leave it out, or make another plan with it:  ferry plan RUNBOOK --out FILE',
    exit: 64,
    example: { option: '--input', file: 'move.plan' },
  }),
  PLAN_HOST_CHANGED: entry<{ file: string; host: string; before: string; now: string }>({
    title: 'A host of a saved plan is another machine now',
    message: (a) => `${a.file} was made for ${a.host} at ${a.before}; the inventory says ${a.now} now.`,
    hint: () => 'Put the inventory back, or plan anew:  ferry plan RUNBOOK --out FILE',
    exit: 5,
    example: { file: 'move.plan', host: 'newdb', before: 'root@192.0.2.14:22', now: 'root@192.0.2.15:22' },
  }),
  PLAN_KEY_OTHER: entry<{ file: string; secrets: string; stateDir: string; runbook: string }>({
    title: 'A saved plan with secrets comes from another state folder',
    message: (a) =>
      `${a.file} was saved with the key of another state folder than ${a.stateDir}: whether its secrets (${a.secrets}) are still the same cannot be told here.`,
    hint: (a) =>
      `Run it with the state folder of the plan:  ferry run ${a.file} --state-dir DIR   or plan again here:  ferry plan ${a.runbook} --out ${a.file}`,
    exit: 5,
    example: {
      file: 'move.plan',
      secrets: 'password',
      stateDir: '/home/ann/.local/state/ferry',
      runbook: '/srv/runbooks/move.yaml',
    },
  }),
  PLAN_STALE: entry<{ file: string; count: number; steps: string }>({
    title: 'The hosts are not any more what the plan was made on',
    message: (a) =>
      `${a.file} is not true any more: ${a.count === 0 ? 'no fact moved' : a.count === 1 ? 'one fact has moved' : `${a.count} facts have moved`}${a.steps ? `, and ${a.steps} would do something else now` : ', though every step would still do the same'}.`,
    hint: (a) =>
      `Put it back, or look at what would be done now and plan ${a.steps ? 'those steps' : 'on what is there'} anew:  ferry run ${a.file} --replan`,
    exit: 5,
    example: { file: 'move.plan', count: 1, steps: 'stop-services, start-services' },
  }),
  FACT_MOVED: entry<{ host: string; fact: string; before: string; now: string; beforeAt: string; nowAt: string; steps: string }>({
    title: 'A fact has moved since the plan was saved',
    message: (a) =>
      `${a.fact} on ${a.host} was ${a.before} (read ${a.beforeAt}) and is ${a.now} (read ${a.nowAt})${a.steps ? `; it matters to ${a.steps}` : ''}.`,
    exit: 5,
    example: {
      ...{ host: 'engine', fact: 'unitState(x.service)', before: 'active', now: 'inactive', steps: 'stop-services' },
      ...{ beforeAt: '2026-01-01T02:00:00.000Z', nowAt: '2026-01-01T03:00:00.000Z' },
    },
  }),
};
