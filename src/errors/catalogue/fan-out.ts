import { entry } from '../entry.ts';

/** Errors of roles with many hosts, and of steps that are done on each of them. */
export const fanOutErrors = {
  ROLE_MANY: entry<{ role: string; action: string }>({
    title: 'A param names a role of many hosts',
    message: (a) => `${a.action} needs one host here, and the role "${a.role}" has many.`,
    hint: () => 'Name a role without "many: true". Where each of the hosts is meant, put the step on that role:  host: ROLE',
    exit: 65,
    example: { role: 'workers', action: 'file.transfer' },
  }),
  ROLE_FIELD_SEVERAL: entry<{ role: string; field: string }>({
    title: 'An expression takes a role of many for one host',
    message: (a) => `roles.${a.role} is a list of hosts, which has no "${a.field}".`,
    hint: (a) =>
      `All of them:  roles.${a.role}.map(h, h.${a.field})   in a step on that role, the host it is done on:  host.${a.field}`,
    exit: 65,
    example: { role: 'workers', field: 'address' },
  }),
  HOST_NAME_MISPLACED: entry<{ field: string }>({
    title: 'An expression uses "host" where there is no one host',
    message: () => '"host" stands for the host a step on a role of many is done on; here there is none.',
    hint: (a) => `The host of a role:  roles.NAME.${a.field}`,
    exit: 65,
    example: { field: 'address' },
  }),
  OUTPUT_BY_HOST: entry<{ step: string; output: string; role: string }>({
    title: 'An output of a step on many hosts is taken for one value',
    message: (a) => `Step "${a.step}" is done on each host of ${a.role}, so its outputs are a map by host.`,
    hint: (a) =>
      `In a step on that role:  steps['${a.step}'].outputs[host.name].${a.output}   of all:  roles.${a.role}.map(h, steps['${a.step}'].outputs[h.name].${a.output})`,
    exit: 65,
    example: { step: 'stop', output: 'stopped', role: 'workers' },
  }),
  FAN_OUT_MISPLACED: entry<{ role: string }>({
    title: 'A step on one host says how to fan out',
    message: (a) =>
      a.role
        ? `"fanOut" is for steps on a role of many hosts; "${a.role}" is one host.`
        : '"fanOut" is for steps that are done on each host; a question is asked once.',
    hint: (a) => (a.role ? `Take it out, or say at the role:  ${a.role}: { many: true }` : 'Take it out.'),
    exit: 65,
    example: { role: 'engine' },
  }),
  CONFIRM_SEVERAL: entry<{ role: string }>({
    title: 'A step on many hosts asks a question',
    message: (a) => `The step is done on each host of ${a.role}, and its "confirm" would be asked for each of them.`,
    hint: (a) => `Ask once, in a step before it:  { id: sure, host: ${a.role}, uses: gate.confirm, with: { question: ... } }`,
    exit: 65,
    example: { role: 'workers' },
  }),
  INCLUDE_ROLE_DIFFERS: entry<{ role: string; own: string; file: string; isMany: number }>({
    title: 'A role of one host meets a role of many',
    message: (a) =>
      a.isMany
        ? `In ${a.file} "${a.role}" is a role of many hosts; "${a.own}" here is one host.`
        : `In ${a.file} "${a.role}" is one host; "${a.own}" here is a role of many.`,
    hint: (a) => (a.isMany ? `Say at the role here:  ${a.own}: { many: true }` : 'Give it a role of one host.'),
    exit: 65,
    example: { role: 'nodes', own: 'engine', file: './patch.yaml', isMany: 1 },
  }),
  ROLE_DEFAULT_MANY: entry<{ role: string; other: string }>({
    title: 'A role of one host takes a role of many by default',
    message: (a) => `The role "${a.role}" is one host, and "${a.other}", its default, has many.`,
    hint: (a) => `Give it another default, or say:  ${a.role}: { many: true, default: ${a.other} }`,
    exit: 65,
    example: { role: 'first', other: 'workers' },
  }),
  ROLE_HOSTS_SEVERAL: entry<{ role: string; hosts: string }>({
    title: 'A role of one host is given several',
    message: (a) => `The role "${a.role}" is one host, and it is given ${a.hosts}.`,
    hint: (a) => `Choose one:  --role ${a.role}=HOST`,
    exit: 64,
    example: { role: 'new_db', hosts: 'db1, db2' },
  }),
};
