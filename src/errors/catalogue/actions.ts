import { entry } from '../entry.ts';

/** Errors that actions throw from apply. */
export const actionErrors = {
  CHECK_FAILED: entry<{ what: string; host: string; why: string }>({
    title: 'A check does not hold',
    message: (a) => `${a.what} does not hold on ${a.host}: ${a.why}.`,
    exit: 1,
    example: { what: 'health page', host: 'engine', why: 'got 500 "DB Down!"' },
  }),
  UNITS_FAILED: entry<{ verb: string; units: string; host: string; why: string }>({
    title: 'Units could not be started or stopped',
    message: (a) => `systemctl ${a.verb} failed on ${a.host} for ${a.units}:\n${a.why}`,
    hint: (a) => `On ${a.host}:  journalctl -u ${a.units.split(', ')[0]} -n 50   then:  ferry resume`,
    exit: 1,
    example: { verb: 'start', units: 'ovirt-engine.service', host: 'engine', why: 'ovirt-engine.service is failed' },
  }),
  BYTES_CUT: entry<{ path: string; host: string; expected: number }>({
    title: 'Bytes were cut on the way to a file',
    message: (a) => `${a.path} on ${a.host} was not written: less than ${a.expected} bytes arrived. The file is as it was.`,
    hint: () => 'ferry resume   sends them again.',
    exit: 1,
    example: { path: '/etc/app.conf', host: 'engine', expected: 812 },
  }),
  TRANSFER_FAILED: entry<{ from: string; to: string; why: string }>({
    title: 'A file could not be sent from host to host',
    message: (a) => `${a.from} could not be sent to ${a.to}: ${a.why}`,
    hint: () => 'ferry resume   sends it again from the start; nothing stands at the destination yet.',
    exit: 1,
    example: { from: 'engine:/var/tmp/engine.dump', to: 'newdb:/var/tmp/engine.dump', why: 'No space left on device' },
  }),
  PACKAGES_FAILED: entry<{ packages: string; host: string; why: string }>({
    title: 'Packages could not be installed',
    message: (a) => `${a.packages} could not be installed on ${a.host}:\n${a.why}`,
    hint: (a) => `On ${a.host}:  apt-get update && apt-get install ${a.packages}   shows more; then:  ferry resume`,
    exit: 1,
    example: { packages: 'postgresql-contrib', host: 'newdb', why: 'E: Unable to locate package postgresql-contrib' },
  }),
  MAINTENANCE_REFUSED: entry<{ mode: string; host: string; code: number; why: string }>({
    title: 'The maintenance mode could not be set',
    message: (a) => `hosted-engine --set-maintenance --mode=${a.mode} on ${a.host} ended with exit code ${a.code}: ${a.why}`,
    hint: (a) => `On ${a.host}:  hosted-engine --vm-status`,
    exit: 1,
    example: { mode: 'global', host: 'he1', code: 1, why: 'Cannot connect to the HA daemon, please check the logs.' },
  }),
};
