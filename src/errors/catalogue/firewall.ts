import { entry } from '../entry.ts';

/** Errors of opening firewalls. */
export const firewallErrors = {
  FIREWALL_FILE_WRONG: entry<{ path: string; host: string; why: string }>({
    title: 'Saved rules of a firewall would not load',
    message: (a) => `${a.path} on ${a.host} would not be loaded any more with the new rules in it:\n${a.why}`,
    hint: (a) => `Try the file as it is:  nft -c -f ${a.path}   on ${a.host}; mend it, then:  ferry resume`,
    exit: 1,
    example: { path: '/etc/nftables.conf', host: 'newdb', why: 'Error: No such file or directory' },
  }),
};
