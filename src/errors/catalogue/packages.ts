import { entry } from '../entry.ts';

/** Errors of removing packages and of having them back. */
export const packageErrors = {
  PACKAGES_NOT_REMOVED: entry<{ packages: string; host: string; why: string }>({
    title: 'Packages could not be removed',
    message: (a) => `${a.packages} could not be removed on ${a.host}:\n${a.why}`,
    hint: (a) => `Look at the state on ${a.host}:  dpkg --audit   or:  rpm -Va   then:  ferry resume`,
    exit: 1,
    example: { packages: 'ovirt-engine-dwh', host: 'engine', why: 'E: Sub-process /usr/bin/dpkg returned an error code (1)' },
  }),
  PACKAGES_TAKE_MORE: entry<{ packages: string; host: string; why: string }>({
    title: 'Removing packages would take others along',
    message: (a) => `Since the plan was made something on ${a.host} has come to need ${a.packages}:\n${a.why}`,
    hint: () => 'Plan again:  ferry plan   shows what stands in the way.',
    exit: 5,
    example: { packages: 'ovirt-engine-dwh', host: 'engine', why: 'ovirt-engine-dwh-grafana-integration-setup [4.5.9-1]' },
  }),
  PACKAGES_NOT_BACK: entry<{ packages: string; host: string; why: string }>({
    title: 'Removed packages could not be installed again',
    message: (a) => `${a.packages} could not be installed again on ${a.host}:\n${a.why}`,
    hint: () => 'The packages and their conf files are kept on the host; once the cause is mended:  ferry rollback',
    exit: 1,
    example: { packages: 'ovirt-engine-dwh 4.5.9-1', host: 'engine', why: 'E: Unmet dependencies' },
  }),
};
