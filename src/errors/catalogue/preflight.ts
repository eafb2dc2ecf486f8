import { entry } from '../entry.ts';

/** What a plan finds before anything is done: blockers, and warnings of the same codes where it is not certain. */
export const preflightErrors = {
  TOOLS_MISSING: entry<{ host: string; tools: string; fix: string }>({
    title: 'A host lacks commands',
    message: (a) => `${a.host} lacks ${a.tools}, which Ferry or a step needs there.`,
    hint: (a) => `On ${a.host}:  ${a.fix}`,
    exit: 5,
    example: { host: 'newdb', tools: 'flock, sha256sum', fix: 'apt-get install util-linux coreutils' },
  }),
  CLOCK_SKEWED: entry<{ host: string; by: string; direction: string; within: string }>({
    title: 'The clock of a host is off',
    message: (a) =>
      `The clock of ${a.host} is ${a.by} ${a.direction} this machine's (to within ${a.within}): times in logs, records and rows will not fit together.`,
    hint: () => `See that time is kept, as by chrony, there and here:  timedatectl`,
    exit: 5,
    example: { host: 'newdb', by: '12.0 s', direction: 'ahead of', within: '3 ms' },
  }),
  DISK_FULL: entry<{ host: string; mount: string; free: string; least: string; what: string }>({
    title: 'A disk is too small',
    message: (a) => `${a.host} has ${a.free} free on ${a.mount}, and at least ${a.least} will be needed: ${a.what}.`,
    hint: (a) => `Make room on ${a.host}, or name another place:\n  du -xh ${a.mount} | sort -h | tail`,
    exit: 5,
    example: { host: 'newdb', mount: '/var', free: '20 MB', least: '102 MB', what: 'restore 102 MB' },
  }),
  DISK_TIGHT: entry<{ host: string; mount: string; free: string; likely: string; what: string }>({
    title: 'A disk may be too small',
    message: (a) => `${a.host} has ${a.free} free on ${a.mount}, and up to ${a.likely} may be needed: ${a.what}.`,
    hint: (a) => `To be safe make room on ${a.host}:\n  du -xh ${a.mount} | sort -h | tail`,
    exit: 5,
    example: { host: 'newdb', mount: '/var', free: '200 MB', likely: '224 MB', what: 'dump 61 MB, restore 163 MB' },
  }),
  DUMP_TOO_NEW: entry<{ host: string; path: string; theirs: number; ours: number; program: string }>({
    title: 'A dump is of a newer version than what shall take it',
    message: (a) => `The dump ${a.path} is of ${a.program} version ${a.theirs}, and ${a.host} has version ${a.ours}.`,
    hint: (a) =>
      a.program === 'PostgreSQL'
        ? `Move to a server of version ${a.theirs} or newer: an older one need not understand its dump.`
        : `On ${a.host}, install the client of version ${a.theirs}:  postgresql-client-${a.theirs} on Debian, postgresql${a.theirs} on Enterprise Linux.`,
    exit: 5,
    example: { host: 'newdb', path: '/var/lib/ferry-dumps/engine.dump', theirs: 16, ours: 15, program: 'PostgreSQL' },
  }),
  ROLES_MISSING: entry<{ host: string; database: string; roles: string; statement: string }>({
    title: 'Roles that privileges name do not exist',
    message: (a) => `The privileges to be restored into ${a.database} name roles that ${a.host} does not have: ${a.roles}.`,
    hint: (a) => `Add postgres.role steps, or leave privileges out (privileges: false), or on ${a.host}:\n  ${a.statement}`,
    exit: 5,
    example: {
      host: 'newdb',
      database: 'engine',
      roles: 'reader',
      statement: 'runuser -u postgres -- createuser --no-login reader',
    },
  }),
  PORT_BLOCKED: entry<{ from: string; address: string; port: number; host: string; why: string }>({
    title: 'A port that listens cannot be reached',
    message: (a) =>
      `From ${a.from}, ${a.address} port ${a.port} cannot be reached (${a.why}), although ${a.host} listens on that port: a firewall stands in the way, or it listens on another address.`,
    hint: (a) =>
      `Let ${a.from} through to port ${a.port}, on ${a.host} and in between. On ${a.host}:\n  nft list ruleset   or   firewall-cmd --list-all   or   ss -ltn`,
    exit: 5,
    example: { from: 'engine', address: '192.0.2.7', port: 5432, host: 'newdb', why: 'no answer within 5.0 s' },
  }),
  PORT_SILENT: entry<{ from: string; address: string; port: number }>({
    title: 'Packets to a port vanish',
    message: (a) =>
      `From ${a.from}, ${a.address} port ${a.port} gives no answer at all, not even a refusal: a firewall seems to drop what goes there.`,
    hint: (a) => `Before the run, let ${a.from} through to port ${a.port}, there and in between.`,
    exit: 5,
    example: { from: 'engine', address: '192.0.2.7', port: 5432 },
  }),
  CLIENT_OLDER: entry<{ host: string; ours: number; server: string; theirs: number }>({
    title: 'Programs of a client are older than its server',
    message: (a) =>
      `The PostgreSQL programs on ${a.host} are of version ${a.ours}, the server on ${a.server} is of version ${a.theirs}: services log in all the same, but a pg_dump on ${a.host}, as of a backup, will be refused.`,
    hint: (a) =>
      `On ${a.host}, install the client of version ${a.theirs}:  postgresql-client-${a.theirs} on Debian, postgresql${a.theirs} on Enterprise Linux.`,
    exit: 5,
    example: { host: 'engine', ours: 13, server: 'newdb', theirs: 15 },
  }),
  UNITS_ABSENT: entry<{ host: string; units: string }>({
    title: 'None of the units is installed',
    message: (a) => `None of the units to be stopped is installed on ${a.host}: ${a.units}.`,
    hint: (a) => `Compare the names with:  systemctl list-unit-files   on ${a.host}.`,
    exit: 5,
    example: { host: 'engine', units: 'ovirt-engin' },
  }),
};
