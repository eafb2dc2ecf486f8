import { entry } from '../entry.ts';

/** Errors of connections and commands on hosts. */
export const hostErrors = {
  HOST_UNREACHABLE: entry<{ host: string; address: string; port: number; why: string; via?: string }>({
    title: 'The host cannot be reached',
    message: (a) => `${a.host} (${a.address} port ${a.port}) cannot be reached: ${a.why}.`,
    hint: (a) => `Try:  ssh ${a.via ? `-J ${a.via} ` : ''}-p ${a.port} ${a.address} true`,
    exit: 1,
    example: { host: 'newdb', address: '192.0.2.7', port: 22, why: 'connection refused' },
  }),
  HOST_LOGIN_REFUSED: entry<{ host: string; user: string; address: string; tried: string }>({
    title: 'The host refuses the login',
    message: (a) => `${a.host} (${a.address}) refuses the login of ${a.user}. Tried: ${a.tried}.`,
    hint: (a) => `Try:  ssh ${a.user}@${a.address} true   and set user or identityFile in the inventory.`,
    exit: 1,
    example: { host: 'newdb', user: 'root', address: '192.0.2.7', tried: 'key ~/.ssh/id_ed25519' },
  }),
  IDENTITY_UNREADABLE: entry<{ host: string; file: string; why: string }>({
    title: 'The private key cannot be used',
    message: (a) => `The private key ${a.file} for ${a.host} cannot be used: ${a.why}.`,
    hint: (a) => `ssh-add ${a.file.startsWith('(') ? 'KEY' : a.file}   or name another identityFile in the inventory.`,
    exit: 64,
    example: { host: 'newdb', file: '~/.ssh/id_ed25519', why: 'no such file' },
  }),
  BECOME_REFUSED: entry<{ host: string; user: string; why: string }>({
    title: 'The login may not become root',
    message: (a) => `${a.user} on ${a.host} may not run commands as root without a password: ${a.why}.`,
    hint: (a) => `Allow it in sudoers (${a.user} ALL=(ALL) NOPASSWD: ALL), or log in as root.`,
    exit: 5,
    example: { host: 'newdb', user: 'admin', why: 'sudo: a password is required' },
  }),
  PLAN_ONLY_LOGIN: entry<{ host: string; user: string }>({
    title: 'The login may only plan',
    message: (a) => `${a.user} on ${a.host} may plan and change nothing. Nothing was changed there.`,
    hint: () => 'Plan with this login; run with an inventory whose user may become root.',
    exit: 5,
    example: { host: 'newdb', user: 'ferry-plan' },
  }),
  COMMAND_TIMEOUT: entry<{ host: string; what: string; limit: string }>({
    title: 'A command took too long',
    message: (a) => `${a.what} on ${a.host} gave no answer within ${a.limit}.`,
    exit: 1,
    example: { host: 'newdb', what: 'reading facts', limit: '60 s' },
  }),
  COMMAND_FAILED: entry<{ host: string; what: string; code: number; output: string }>({
    title: 'A command failed',
    message: (a) => `${a.what} on ${a.host} ended with exit code ${a.code}${a.output ? `: ${a.output}` : ''}`,
    exit: 1,
    example: { host: 'newdb', what: 'restore', code: 1, output: 'pg_restore: error: out of disk space' },
  }),
  COMMAND_LOST: entry<{ host: string; what: string; why: string }>({
    title: 'A command died without an exit code',
    message: (a) => `${a.what} on ${a.host} started but left no exit code: ${a.why}.`,
    hint: () => 'ferry resume   reads the facts and starts a new attempt where one is needed.',
    exit: 1,
    example: { host: 'newdb', what: 'restore', why: 'the machine was rebooted' },
  }),
  OUTPUT_TOO_LONG: entry<{ host: string }>({
    title: 'A command printed too much',
    message: (a) => `A command on ${a.host} printed more than 8 MiB and was ended.`,
    exit: 1,
    example: { host: 'newdb' },
  }),
  STEP_TIMEOUT: entry<{ step: string; limit: string }>({
    title: 'A step took longer than it may',
    message: (a) => `Step ${a.step} was not done within ${a.limit}, its timeout. What it started may still run on its host.`,
    hint: () => 'ferry resume   joins what still runs;  ferry rollback   ends it and goes back.',
    exit: 1,
    example: { step: 'dump', limit: '5 min' },
  }),
  CONNECT_REFUSED: entry<{ from: string; address: string; port: number; why: string; how: string }>({
    title: 'A port cannot be reached from a host',
    message: (a) => `From ${a.from}, ${a.address} port ${a.port} cannot be reached: ${a.why}.`,
    hint: () => 'Look at the listener, its address, and the firewalls on both machines.',
    exit: 1,
    example: { from: 'engine', address: 'newdb', port: 5432, why: 'connection refused', how: 'refused' },
  }),
  HOST_NOT_THE_SAME: entry<{ host: string; run: string; before: string; now: string }>({
    title: 'A host is not the machine it was',
    message: (a) =>
      `${a.host} (${a.now}) is not the machine on which run ${a.run} worked under that name${a.before && a.before !== a.now ? `: that was ${a.before}` : ''}. Or its disk was lost: what the run left there, /var/lib/ferry/${a.run}, is not there.`,
    hint: (a) =>
      `Put the inventory back, or name the one of then with -i. If it is that machine with a new disk:  mkdir -p /var/lib/ferry/${a.run}  there says so.`,
    exit: 5,
    example: { host: 'newdb', run: 'r-1', before: 'root@192.0.2.14:22', now: 'root@192.0.2.15:22' },
  }),
  LEASE_HELD: entry<{ host: string; run: string; holder: string; since: string }>({
    title: 'Another run holds the host',
    message: (a) => `${a.host} is held by run ${a.run} (${a.holder}, since ${a.since}).`,
    hint: (a) =>
      `ferry resume ${a.run}   or   ferry rollback ${a.run}   on ${a.holder}; if that machine is lost:  ferry takeover ${a.run} --from ${a.host};  if that run is given up for good:  ferry unlock ${a.host} --abandon`,
    exit: 5,
    example: { host: 'engine', run: 'r-20260101-020000-ab12', holder: 'root@admin1', since: '2026-01-01T02:00:00Z' },
  }),
  RUN_SHUT_OUT: entry<{ host: string; run: string }>({
    title: 'The run was given up on a host',
    message: (a) => `Run ${a.run} was given up on ${a.host} (ferry unlock --abandon), so it neither goes on nor back.`,
    hint: (a) => `What it kept is in /var/lib/ferry/${a.run}/keep on its hosts; what it did:  ferry log ${a.run}`,
    exit: 5,
    example: { host: 'engine', run: 'r-20260101-020000-ab12' },
  }),
  EPOCH_STALE: entry<{ host: string; run: string; ours: number; theirs: string; by: string }>({
    title: 'This controller was replaced',
    message: (a) =>
      a.theirs === 'gone'
        ? `Run ${a.run} was given up on ${a.host} while this controller worked on it (ferry unlock --abandon); nothing more is run there.`
        : `Run ${a.run} was taken over and ${a.by ? `goes on at ${a.by}` : 'belongs to another controller now'} (epoch ${a.theirs}, ours is ${a.ours}), as ${a.host} tells: this Ferry changes nothing of it any more.`,
    hint: (a) => (a.theirs === 'gone' ? `ferry log ${a.run}` : 'Nothing is left to do here.'),
    exit: 5,
    example: { host: 'engine', run: 'r-1', ours: 1, theirs: '2', by: 'root@admin2' },
  }),
  FACT_UNREADABLE: entry<{ host: string; fact: string; why: string }>({
    title: 'A fact cannot be read',
    message: (a) => `${a.fact} on ${a.host} cannot be read: ${a.why}.`,
    exit: 5,
    example: { host: 'newdb', fact: 'pgDatabase(5432, engine)', why: 'permission denied' },
  }),
};
