import { entry } from '../entry.ts';

/** How a command is typed that must run on the last machine before the host. */
function throughHops(via: string | undefined): string {
  const hops = via?.split(',') ?? [];
  const [, login, port] = /^(.*):(\d+)$/.exec(hops.at(-1) ?? '') ?? [];
  return login ? `ssh ${hops.length > 1 ? `-J ${hops.slice(0, -1).join(',')} ` : ''}-p ${port} ${login} ` : '';
}

/** How the key that was just shown gets into a known_hosts file. */
function acceptance(a: { address: string; port: number; file: string; alias?: string; via?: string }): string {
  const renamed = a.alias ? ` | sed 's/^[^ ]*/${a.alias}/'` : '';
  return `Check the fingerprint with the owner of the machine, then:  ${throughHops(a.via)}ssh-keyscan -p ${a.port} ${a.address}${renamed} >> ${a.file}`;
}

function firstOf(files: string): string {
  return files.split(', ').find((one) => one !== '/dev/null') ?? '~/.ssh/known_hosts';
}

/** Errors of the keys by which hosts are known. */
export const hostKeyErrors = {
  HOST_KEY_UNKNOWN: entry<{
    host: string;
    address: string;
    port: number;
    fingerprint: string;
    type: string;
    files: string;
    alias?: string;
    via?: string;
  }>({
    title: 'The host key is not known',
    message: (a) =>
      `${a.host} (${a.address} port ${a.port}) shows a host key that stands in no known_hosts file: ${a.type} ${a.fingerprint}. Looked in ${a.files}.`,
    hint: (a) => acceptance({ ...a, file: firstOf(a.files) }),
    exit: 5,
    example: {
      host: 'newdb',
      address: '192.0.2.7',
      port: 22,
      fingerprint: 'SHA256:0aB',
      type: 'ssh-ed25519',
      files: '~/.ssh/known_hosts',
    },
  }),
  HOST_KEY_CHANGED: entry<{
    host: string;
    address: string;
    port: number;
    got: string;
    expected: string;
    file: string;
    line: number;
    alias?: string;
  }>({
    title: 'The host key has changed',
    message: (a) =>
      `${a.host} (${a.address} port ${a.port}) shows another host key than the one in ${a.file} line ${a.line}: got ${a.got}, expected ${a.expected}. Either the machine was reinstalled or something stands in between.`,
    hint: (a) =>
      `If the machine was reinstalled, check the fingerprint with its owner, then:  ssh-keygen -f ${a.file} -R ${a.alias ?? (a.port === 22 ? a.address : `'[${a.address}]:${a.port}'`)}`,
    exit: 5,
    example: {
      host: 'newdb',
      address: '192.0.2.7',
      port: 22,
      got: 'SHA256:Jx4',
      expected: 'SHA256:0aB',
      file: '~/.ssh/known_hosts',
      line: 12,
    },
  }),
  HOST_KEY_REVOKED: entry<{ host: string; address: string; port: number; got: string; file: string; line: number }>({
    title: 'The host key is revoked',
    message: (a) =>
      `${a.host} (${a.address} port ${a.port}) shows a host key that ${a.file} line ${a.line} marks as revoked: ${a.got}. Whoever answers there must not be trusted with anything.`,
    hint: () => 'Find out from the owner of the machine why the key was revoked; give the machine a new one before going on.',
    exit: 5,
    example: {
      host: 'newdb',
      address: '192.0.2.7',
      port: 22,
      got: 'ssh-ed25519 SHA256:Jx4',
      file: '~/.ssh/known_hosts',
      line: 12,
    },
  }),
  HOST_KEY_CA: entry<{
    host: string;
    address: string;
    port: number;
    fingerprint: string;
    type: string;
    file: string;
    line: number;
    files: string;
    alias?: string;
    via?: string;
  }>({
    title: 'The host key is vouched for by an authority',
    message: (a) =>
      `For ${a.host} (${a.address} port ${a.port}) there is a certificate authority in ${a.file} line ${a.line} and no key of its own. Ferry follows no certificate authorities; the host key itself is ${a.type} ${a.fingerprint}.`,
    hint: (a) => acceptance({ ...a, file: firstOf(a.files) }),
    exit: 5,
    example: {
      host: 'newdb',
      address: '192.0.2.7',
      port: 22,
      fingerprint: 'SHA256:0aB',
      type: 'ssh-ed25519',
      file: '~/.ssh/known_hosts',
      line: 3,
      files: '~/.ssh/known_hosts',
    },
  }),
  KNOWN_HOSTS_UNREADABLE: entry<{ file: string; why: string }>({
    title: 'A known_hosts file cannot be read',
    message: (a) =>
      `The known_hosts file ${a.file} is there and cannot be read: ${a.why}. What it revokes would be passed over, so no host is trusted.`,
    hint: (a) => `ls -ld ${a.file}`,
    exit: 64,
    example: { file: '/etc/ssh/ssh_known_hosts', why: 'permission denied' },
  }),
};
