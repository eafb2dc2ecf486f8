import { entry } from '../entry.ts';

/** Errors and findings about units of systemd. */
export const serviceErrors = {
  UNIT_FIXED: entry<{ unit: string; state: string; host: string; verb: string }>({
    title: 'A unit cannot be enabled or disabled',
    message: (a) =>
      `${a.unit} on ${a.host} cannot be ${a.verb}: it is ${a.state}, so whether it starts at boot hangs on what wants it. The step leaves that as it is.`,
    hint: (a) =>
      a.verb === 'disabled'
        ? `See what wants it:  systemctl list-dependencies --reverse ${a.unit}   or keep it from starting at all:  systemctl mask ${a.unit}`
        : `See what wants it:  systemctl list-dependencies --reverse ${a.unit}`,
    exit: 5,
    example: { unit: 'postgresql@15-main.service', state: 'static', host: 'newdb', verb: 'disabled' },
  }),
};
