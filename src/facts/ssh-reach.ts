import { sh } from '../hosts/sh.ts';
import { defineFact, unreadable, value } from './fact.ts';

export interface SshReach {
  /** ssh and ssh-keygen are installed. */
  readonly client: boolean;
  /** An ssh server answers at the address, asked from this host. */
  readonly answers: boolean;
  /** Addresses this host may be seen under. */
  readonly addresses: readonly string[];
}

// The server's greeting is enough, a comment that ssh-keyscan writes whatever keys there are: for all kinds of them it connects five times.
/** Whether this host can open ssh connections to an address, and under which addresses it would be seen there. */
export const sshReach = defineFact<[address: string, port: number], SshReach>({
  kind: 'sshReach',
  class: 'measure',
  script: (
    address,
    port,
  ) => sh`if command -v ssh >/dev/null && command -v ssh-keygen >/dev/null; then echo client; else echo none; fi
if ssh-keyscan -T 5 -t rsa -p ${port} -- ${address} 2>&1 | grep -q '^# .* SSH-'; then echo answers; else echo silent; fi
hostname -I 2>/dev/null || ip -o addr show scope global | awk '{ sub("/.*", "", $4); printf "%s ", $4 }'`,
  parse(answer) {
    const [client, answers, addresses = ''] = answer.stdout.split('\n');
    if (answers === undefined) return unreadable(answer.stderr.trim() || 'it printed nothing');
    return value({
      client: client === 'client',
      answers: answers === 'answers',
      addresses: addresses.split(' ').filter((address) => /^[0-9a-fA-F.:]+$/.test(address)),
    });
  },
  show: (published) => ((published as unknown as SshReach).answers ? 'reachable' : 'not reachable'),
});
