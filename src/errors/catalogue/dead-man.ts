import { entry } from '../entry.ts';

/** Errors of dead-man switches: what a host puts back by itself. */
export const deadManErrors = {
  DEAD_MAN_UNFIT: entry<{ step: string; uses: string; why: string }>({
    title: 'A step cannot have a dead-man switch',
    message: (a) => `Step "${a.step}" has a deadMan, which does not go with ${a.uses}: ${a.why}.`,
    hint: () => 'It is for file.put, config.set, postgres.hba, firewall.open, and command.run with protects.',
    exit: 65,
    example: { step: 'stop', uses: 'service.stop', why: 'it keeps no file that could be put back' },
  }),
  DEAD_MAN_UNARMED: entry<{ host: string; step: string; why: string }>({
    title: 'A dead-man switch could not be set',
    message: (a) =>
      `${a.host} could not be made to put back by itself what step ${a.step} changes: ${a.why}. So the step was not begun.`,
    hint: () => 'Mend the cause, then  ferry resume;  or leave out deadMan, when you have another way into the host.',
    exit: 1,
    example: { host: 'newdb', step: 'firewall', why: 'systemd-run: Failed to connect to bus' },
  }),
  DEAD_MAN_REVERTED: entry<{ host: string; step: string; run: string }>({
    title: 'A host has put back by itself what a step changed',
    message: (a) =>
      `${a.host} has put back what step ${a.step} changed, because Ferry could not log in anew in time. The old file is back; what was applied is not there.`,
    hint: (a) =>
      `Look at what the step puts there, and whether it shuts Ferry out. Then  ferry resume ${a.run}   tries again, or  ferry rollback ${a.run}`,
    exit: 1,
    example: { host: 'newdb', step: 'firewall', run: 'r-1' },
  }),
  LOCKOUT_UNGUARDED: entry<{ step: string; path: string }>({
    title: 'A change could shut Ferry out',
    message: (a) => `Step "${a.step}" changes ${a.path}: when it shuts Ferry out, nobody can take it back from afar.`,
    hint: () => 'Let the host put the old file back by itself:  deadMan: { after: 2m, then: systemctl reload ssh }',
    exit: 65,
    example: { step: 'harden', path: '/etc/ssh/sshd_config.d/90-hard.conf' },
  }),
};
