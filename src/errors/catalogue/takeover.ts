import { entry } from '../entry.ts';

/** Errors of runs that change hands: fenced controllers, takeovers, records kept on hosts. */
export const takeoverErrors = {
  JOURNAL_FENCED: entry<{ run: string; by: string; at: string; ours: number; theirs: number }>({
    title: 'The run was taken over',
    message: (a) =>
      `Run ${a.run} was taken over${a.by ? ` by ${a.by}` : ''} at ${a.at} (epoch ${a.theirs}, ours is ${a.ours}). This controller changes nothing of it any more.`,
    hint: (a) => `ferry status ${a.run}`,
    exit: 5,
    example: { run: 'r-1', by: 'root@admin1', at: '2026-01-01T02:00:00.000Z', ours: 1, theirs: 2 },
  }),
  JOURNAL_FORKED: entry<{ host: string; run: string; seq: number }>({
    title: 'A host has records that this journal lacks',
    message: (a) =>
      `What ${a.host} has on record of run ${a.run} is not what this journal has, from record ${a.seq} on. This state folder is an older copy, another controller has gone on with the run, or one of them was changed.`,
    hint: (a) =>
      `ferry audit ${a.run}   compares them;  ferry takeover ${a.run} --from ${a.host} --state-dir DIR   goes on with those of ${a.host}.`,
    exit: 5,
    example: { host: 'newdb', run: 'r-1', seq: 41 },
  }),
  CONTROLLER_ALIVE: entry<{ run: string; pid: number; holder: string; since: string }>({
    title: 'A process of this machine works on the run',
    message: (a) =>
      `Process ${a.pid} of this machine (${a.holder}) has worked on run ${a.run} since ${a.since}. Nothing was changed.`,
    hint: (a) => `Where it is at work, let it; Ctrl-C stops it. Where it hangs:  ferry takeover ${a.run} --yes`,
    exit: 5,
    example: { run: 'r-1', pid: 4242, holder: 'root@admin1', since: '2026-01-01T02:00:00.000Z' },
  }),
  TAKEOVER_PARTIAL: entry<{ run: string; fenced: string; left: string; why: string }>({
    title: 'A host could not be told of the takeover',
    message: (a) =>
      `Run ${a.run} is taken over${a.fenced ? `, and on ${a.fenced} its former controller changes nothing any more` : ''}. On ${a.left} it may still end what it had begun, because it could not be told there: ${a.why}`,
    hint: (a) =>
      `Once ${a.left} can be reached,  ferry resume ${a.run}   or   ferry rollback ${a.run}   takes it over there too.`,
    exit: 3,
    example: { run: 'r-1', fenced: 'engine', left: 'newdb', why: 'newdb (192.0.2.7 port 22) cannot be reached: no route.' },
  }),
  TAKEOVER_UNFENCED: entry<{ run: string; hosts: string; why: string; again: string; without: string }>({
    title: 'A takeover could not shut its former controller out',
    message: (a) =>
      `Run ${a.run} is not taken over: its former controller may still work on ${a.hosts}, for it could not be told there: ${a.why}`,
    hint: (a) => `Bring it back first, then the same again:  ${a.again};  if it is lost for good:  ${a.without}`,
    exit: 5,
    example: {
      ...{ run: 'r-1', hosts: 'newdb', why: 'newdb (192.0.2.7 port 22) cannot be reached: no route.' },
      ...{ again: 'ferry takeover r-1 --from engine', without: 'ferry takeover r-1 --from engine --without newdb' },
    },
  }),
  TAKEOVER_BLIND: entry<{ run: string; hosts: string; why: string; command: string }>({
    title: 'A host that may know more of the run cannot be asked',
    message: (a) =>
      `${a.hosts} may have later records of run ${a.run} than the other hosts, and cannot be asked: ${a.why} Without them Ferry could do again what was done there.`,
    hint: (a) => `Bring it back first. If it is lost for good:  ${a.command}`,
    exit: 5,
    example: {
      ...{ run: 'r-1', hosts: 'newdb', why: 'newdb (192.0.2.7 port 22) cannot be reached: no route.' },
      command: 'ferry takeover r-1 --from engine --without newdb',
    },
  }),
  HOST_FREE: entry<{ host: string }>({
    title: 'No run holds the host to take over from',
    message: (a) => `No run holds ${a.host}, so it does not tell which run to take over.`,
    hint: (a) => `Name the run:  ferry takeover RUN --from ${a.host}   (each has a folder in /var/lib/ferry there)`,
    exit: 64,
    example: { host: 'engine' },
  }),
  COPY_MISSING: entry<{ host: string; run: string }>({
    title: 'A host has no records of the run',
    message: (a) => `${a.host} has no records of run ${a.run}: the run has opened nothing there, or an older release did.`,
    hint: () => 'Name another host of the run:  ferry takeover RUN --from HOST',
    exit: 64,
    example: { host: 'he1', run: 'r-1' },
  }),
  COPY_BROKEN: entry<{ host: string; run: string; seq: number; why: string }>({
    title: "A host's records of a run are not as they were written",
    message: (a) => `The records of run ${a.run} on ${a.host} cannot be trusted from record ${a.seq} on: ${a.why}.`,
    hint: () => 'Name another host of the run:  ferry takeover RUN --from HOST',
    exit: 5,
    example: { host: 'engine', run: 'r-1', seq: 12, why: 'its hash is not that of what it says' },
  }),
  COPIES_DIFFER: entry<{ run: string; one: string; other: string; seq: number }>({
    title: 'Hosts tell different things of one run',
    message: (a) =>
      `${a.one} and ${a.other} have different records of run ${a.run} from record ${a.seq} on: two controllers have gone on with it, or somebody changed one.`,
    hint: (a) => `Compare /var/lib/ferry/${a.run}/journal on both, line ${a.seq}.`,
    exit: 5,
    example: { run: 'r-1', one: 'engine', other: 'newdb', seq: 41 },
  }),
  AUDIT_BROKEN: entry<{ run: string; seq: number; why: string }>({
    title: 'The records of a run are not as they were written',
    message: (a) => `The records of run ${a.run} are not intact from record ${a.seq} on: ${a.why}.`,
    hint: (a) =>
      `Do not go on with it before you know who changed them:  ferry log ${a.run}   and, on its hosts, /var/lib/ferry/${a.run}/journal`,
    exit: 1,
    example: { run: 'r-1', seq: 12, why: 'its hash is not that of what it says, on top of the record before it' },
  }),
};
