import { entry } from '../entry.ts';

/** Errors of plans, runs and their journal: refusals, drift, failures of steps. */
export const engineErrors = {
  STEP_BLOCKED: entry<{ step: string; host: string; why: string; todo: string }>({
    title: 'A step cannot be done on this state',
    message: (a) => `Step ${a.step} on ${a.host} cannot be done: ${a.why}.`,
    hint: (a) => a.todo,
    exit: 5,
    example: { step: 'restore', host: 'newdb', why: 'the database is not empty', todo: 'Choose another name.' },
  }),
  DONE_CHECK_UNFIT: entry<{ step: string; uses: string }>({
    title: 'A check under done cannot be answered by a plan',
    message: (a) =>
      `The check ${a.step} under done uses ${a.uses}, which has to act to know its answer; a plan only reads facts.`,
    hint: () => 'Use a step type that is answered by facts, such as config.read, service.read or postgres.read.',
    exit: 65,
    example: { step: 'page', uses: 'http.check' },
  }),
  PARAM_INVALID: entry<{ step: string; uses: string; param: string; why: string }>({
    title: 'A param has a value the action does not take',
    message: (a) => `Step ${a.step}: ${a.uses} does not take this value for ${a.param}: ${a.why}.`,
    hint: (a) => `ferry actions ${a.uses}`,
    exit: 65,
    example: { step: 'copy', uses: 'file.transfer', param: 'path', why: 'not an absolute path' },
  }),
  PLAN_BLOCKED: entry<{ count: number; first: string }>({
    title: 'The plan has blockers',
    message: (a) => `The plan has ${a.count === 1 ? 'a blocker' : `${a.count} blockers`}: ${a.first}`,
    exit: 5,
    example: { count: 1, first: 'newdb has no locale en_US.UTF-8.' },
  }),
  FACT_DRIFTED: entry<{
    step: string;
    host: string;
    fact: string;
    before: string;
    beforeAt: string;
    now: string;
    nowAt: string;
    others: string;
    run: string;
  }>({
    title: 'Something was changed by other hands',
    message: (a) =>
      `${a.fact} on ${a.host} was changed by other hands since the plan: from ${a.before} (read ${a.beforeAt}) to ${a.now} (read ${a.nowAt}). Step ${a.step} was planned on the first${a.others ? `, and so were ${a.others}` : ''}.`,
    hint: (a) =>
      `Put it back, then  ferry resume ${a.run};  or plan ${a.others ? 'those steps' : 'that step'} anew on what is there:  ferry resume ${a.run} --replan;  or  ferry rollback ${a.run}`,
    exit: 5,
    example: {
      ...{
        step: 'point',
        host: 'engine',
        fact: 'unitState(x.service)',
        before: 'running',
        now: 'stopped',
        others: '',
        run: 'r-1',
      },
      ...{ beforeAt: '2026-01-01T02:00:00.000Z', nowAt: '2026-01-01T03:00:00.000Z' },
    },
  }),
  PLAN_CHANGED: entry<{ step: string; host: string; planned: string; now: string }>({
    title: 'A step would do something else than planned',
    message: (a) => `Step ${a.step} on ${a.host} was planned as "${a.planned}" and would now be "${a.now}".`,
    hint: () => 'ferry rollback   and plan again, or put the state back and  ferry resume.',
    exit: 5,
    example: { step: 'stop', host: 'engine', planned: 'stop x', now: 'already stopped' },
  }),
  VERIFY_FAILED: entry<{ step: string; host: string; fact: string; wanted: string; now: string; limit: string }>({
    title: 'A step did not have its effect',
    message: (a) => `Step ${a.step} was done, but ${a.fact} on ${a.host} is ${a.now} after ${a.limit}; it should be ${a.wanted}.`,
    hint: () => 'Look at the host, then  ferry resume  (tries again) or  ferry rollback.',
    exit: 1,
    example: { step: 'start', host: 'engine', fact: 'unitState(x.service)', wanted: 'active', now: 'failed', limit: '60 s' },
  }),
  INVENTORY_INVALID: entry<{ file: string; count: number }>({
    title: 'The inventory does not fit',
    message: (a) => `The inventory ${a.file} has ${a.count === 1 ? 'an error' : `${a.count} errors`}. No host was touched.`,
    exit: 65,
    example: { file: 'inventory.yaml', count: 1 },
  }),
  INVENTORY_MISSING: entry<{ places: string }>({
    title: 'There is no inventory',
    message: (a) => `No inventory was named, and there is none in ${a.places}.`,
    hint: () => 'Name one:  -i inventory.yaml',
    exit: 64,
    example: { places: 'runbooks/inventory.yaml and inventory.yaml' },
  }),
  INPUTS_INVALID: entry<{ runbook: string; count: number }>({
    title: 'The inputs do not fit',
    message: (a) => `The inputs for ${a.runbook} have ${a.count === 1 ? 'an error' : `${a.count} errors`}. No host was touched.`,
    exit: 64,
    example: { runbook: 'migrate-engine-db', count: 2 },
  }),
  LEASE_MISSING: entry<{ host: string }>({
    title: 'No run holds the host',
    message: (a) => `No run holds ${a.host}; there is nothing to unlock.`,
    exit: 64,
    example: { host: 'engine' },
  }),
  LEASE_WANTED: entry<{ host: string; run: string; holder: string; since: string; phase: string }>({
    title: 'The run that holds the host is not over',
    message: (a) =>
      `${a.host} is held by run ${a.run} (${a.phase || 'its journal is with its controller'}; ${a.holder}, since ${a.since}). Nothing was changed.`,
    hint: (a) =>
      a.phase === ''
        ? `ferry resume ${a.run}   or   ferry rollback ${a.run}   on ${a.holder}; if that machine is lost:  ferry takeover ${a.run} --from ${a.host};  if that run is given up for good:  ferry unlock ${a.host} --abandon`
        : `${a.phase === 'rolling-back' ? '' : `ferry resume ${a.run}   or   `}ferry rollback ${a.run};  to give that run up for good and leave the hosts as they are:  ferry unlock ${a.host} --abandon`,
    exit: 5,
    example: { host: 'engine', run: 'r-1', holder: 'root@admin1', since: '2026-01-01T02:00:00Z', phase: 'paused' },
  }),
  LEASE_LEFT: entry<{ run: string; what: string; free: string; left: string; risk: string; why: string; commands: string }>({
    title: 'A host could not be given back',
    message: (a) => `Run ${a.run} ${a.what}. ${a.free ? `Free now: ${a.free}. ` : ''}Not free yet${a.risk}: ${a.left}. ${a.why}`,
    hint: (a) => `Once that is mended:  ${a.commands}`,
    exit: 3,
    example: {
      ...{ run: 'r-1', what: 'is abandoned; what it changed stays as it is', free: 'engine', left: 'newdb' },
      ...{ risk: ', and what the run began there may go on', commands: 'ferry unlock newdb' },
      why: 'newdb (192.0.2.7 port 22) cannot be reached: there is no route to it.',
    },
  }),
  RUN_BUSY: entry<{ run: string; pid: number; since: string }>({
    title: 'Another process works on the run',
    message: (a) =>
      `Another ferry process on this machine${a.pid === 0 ? '' : ` (pid ${a.pid}, since ${a.since})`} works on run ${a.run}. Nothing was changed.`,
    hint: (a) => `ferry status ${a.run};  if that process hangs:  ferry takeover ${a.run}`,
    exit: 5,
    example: { run: 'r-1', pid: 4242, since: '2026-01-01T02:00:00Z' },
  }),
  RUN_UNKNOWN: entry<{ run: string; dir?: string }>({
    title: 'There is no such run',
    message: (a) =>
      `There is no run ${a.run ? `${a.run} ` : ''}in ${a.dir ? `the state folder ${a.dir}` : 'this state folder'}. Nothing was done.`,
    hint: (a) =>
      `ferry runs   lists them; --state-dir names another folder.\nIf that folder was lost:  ferry takeover ${a.run || 'RUN'} --from HOST -i FILE`,
    exit: 64,
    example: { run: 'r-1', dir: '/root/.local/state/ferry' },
  }),
  RUN_UNFINISHED: entry<{ run: string; phase: string; hosts: string; host: string }>({
    title: 'A run on these hosts is not finished',
    message: (a) => `Run ${a.run} on ${a.hosts} is not finished (${a.phase}).`,
    hint: (a) =>
      `${a.phase === 'rolling-back' ? '' : `ferry resume ${a.run}   goes on,  `}ferry rollback ${a.run}   takes it back,  ferry unlock ${a.host} --abandon   gives it up for good and leaves the hosts as they are.`,
    exit: 5,
    example: { run: 'r-1', phase: 'paused', hosts: 'engine, newdb', host: 'engine' },
  }),
  RUN_OVER: entry<{ run: string; phase: string; verb: string; path?: string }>({
    title: 'The run is over',
    message: (a) => `Run ${a.run} is ${a.phase.replace('-', ' ')}; there is nothing to ${a.verb}.`,
    hint: (a) =>
      a.phase === 'finished' ? `go back  ferry rollback ${a.run} --plan` : `begin again  ferry run ${a.path || 'RUNBOOK'}`,
    exit: 64,
    example: { run: 'r-1', phase: 'rolled-back', verb: 'resume', path: 'move.yaml' },
  }),
  RUN_GOES_BACK: entry<{ run: string }>({
    title: 'The run is being rolled back',
    message: (a) => `Run ${a.run} is being rolled back; it cannot go forward before that is done.`,
    hint: (a) => `ferry rollback ${a.run}`,
    exit: 5,
    example: { run: 'r-1' },
  }),
  CHECKPOINT_UNKNOWN: entry<{ checkpoint: string; known: string }>({
    title: 'There is no such checkpoint',
    message: (a) => `There is no checkpoint ${a.checkpoint}, or it was not reached. There are: ${a.known || 'none'}.`,
    exit: 64,
    example: { checkpoint: 'quiet', known: 'quiesced, copied' },
  }),
  SECRET_CHANGED: entry<{ name: string; source: string; since: string; command: string }>({
    title: 'A secret is not the one from before',
    message: (a) => `The secret ${a.name} (${a.source}) is not the one it was when ${a.since}.`,
    hint: (a) => `Give the first value again:  ${a.command} --secret ${a.name}=file:PATH`,
    exit: 5,
    example: { name: 'password', source: 'file:pw', since: 'the run began', command: 'ferry resume r-1' },
  }),
  SECRET_DRIFTED: entry<{ step: string; source: string }>({
    title: 'A secret that was read from a host is another one now',
    message: (a) => `The secret that step ${a.step} had read (${a.source}) was changed by other hands since.`,
    hint: () => 'Put the former value back, then  ferry resume;  or take the run back with  ferry rollback  and run again.',
    exit: 5,
    example: { step: 'read-conf', source: 'config:engine:ENGINE_DB_PASSWORD' },
  }),
  SECRET_GONE: entry<{ step: string; output: string; run: string }>({
    title: 'What a step handed on held a secret, and cannot be had again',
    message: (a) =>
      `What step ${a.step} handed on as ${a.output} holds a secret, which no file of Ferry's has, and the host does not tell it any more.`,
    hint: (a) =>
      `Take the run back:  ferry rollback ${a.run}   and let the command write the secret to a file that a later step uses, or read it with config.read.`,
    exit: 5,
    example: { step: 'make-dsn', output: 'stdout', run: 'r-1' },
  }),
  WRITE_LINE_CROSSED: entry<{ run: string; at: string; written: string; to: string }>({
    title: 'Going back would lose what was written since',
    message: (a) => `Writers have run on the new side since ${a.at}; going back loses what they wrote: ${a.written}.`,
    hint: (a) =>
      `ferry rollback ${a.run}${a.to ? ` --to ${a.to}` : ''} --discard-writes   goes back all the same; the new database is renamed and kept.`,
    exit: 5,
    example: { run: 'r-1', at: '02:14:07', written: 'audit_log: 12 rows', to: '' },
  }),
  JOURNAL_UNWRITABLE: entry<{ dir: string; why: string; run?: string }>({
    title: 'The journal cannot be written',
    message: (a) => `The journal in ${a.dir} cannot be written: ${a.why}. No further step was begun.`,
    hint: (a) =>
      a.run
        ? `Its hosts have copies:  ferry takeover ${a.run} --from HOST -i FILE   or put the folder back, then  ferry resume ${a.run}`
        : 'Make room or mend the disk, then  ferry resume,  or  ferry rollback  where the run was going back.',
    exit: 1,
    example: { dir: '~/.local/state/ferry', why: 'disk full' },
  }),
  STATE_DIR_UNUSABLE: entry<{ dir: string; why: string }>({
    title: 'The state folder cannot be used',
    message: (a) => `The state folder ${a.dir} cannot be used: ${a.why}.`,
    hint: () => 'Name another, on a local disk:  --state-dir DIR  or FERRY_STATE_DIR.',
    exit: 64,
    example: { dir: '/mnt/nfs/ferry', why: 'it is on NFS' },
  }),
};
