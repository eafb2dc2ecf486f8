import { describe, expect, test } from 'vitest';
import { type Firewall, firewall } from '../../src/facts/firewall.ts';
import { answer } from '../kit/read-here.ts';

const read = (stdout: string) => firewall.definition.parse(answer(stdout), '') as { value: Firewall };
const NFT = `table inet filter {
	set friends {
		type ipv4_addr
	}

	chain input {
		type filter hook input priority filter; policy drop;
		tcp dport 22 counter accept
	}

	chain forward {
		type filter hook forward priority filter; policy drop;
	}
}
table ip nat {
	chain PREROUTING {
		type nat hook prerouting priority dstnat; policy accept;
	}
}
`;

describe('firewall', () => {
  test('firewalld: its zone, now and at boot', () => {
    const text = '=firewalld\n=zone public\n=list runtime\n5432/tcp\n\n=list permanent\n\nrule family="ipv4" accept\n';
    expect(read(text)).toEqual({
      state: 'value',
      value: {
        ...{ kind: 'firewalld', zone: 'public', saved: [] },
        lists: [
          { name: 'runtime', rules: ['5432/tcp'] },
          { name: 'permanent', rules: ['rule family="ipv4" accept'] },
        ],
      },
    });
  });

  test('ufw', () => {
    expect(read('=ufw\n=list ufw\nufw allow 22/tcp\n').value).toMatchObject({
      kind: 'ufw',
      lists: [{ name: 'ufw', rules: ['ufw allow 22/tcp'] }],
    });
  });

  test('nftables: chains of the input hook that drop, and the file that is loaded at boot', () => {
    const text = `=nft\n${NFT}=saved /etc/nftables.conf\nfile 755 root root 0 0 5\n${Buffer.from('x\n').toString('base64')}\n`;
    expect(read(text).value).toEqual({
      ...{ kind: 'nftables', zone: null },
      lists: [
        {
          name: 'inet filter input',
          rules: ['type filter hook input priority filter; policy drop;', 'tcp dport 22 counter accept'],
        },
      ],
      saved: [{ path: '/etc/nftables.conf', text: 'x\n', mode: '0755', owner: 'root', group: 'root' }],
    });
  });

  test.each([
    ['nothing is there', ''],
    ['a chain lets all in', `=nft\n${NFT.replace('input priority filter; policy drop', 'input priority filter; policy accept')}`],
    [
      'iptables lets all in',
      '=iptables\n=list iptables\n-P INPUT ACCEPT\n-A INPUT -p tcp -j DROP\n=list ip6tables\n-P INPUT ACCEPT\n',
    ],
  ])('none keeps anybody out where %s', (_, text) => {
    expect(read(text).value.kind).toBe('none');
  });

  test('a last rule that drops everything closes a chain that accepts', () => {
    const text = NFT.replace('input priority filter; policy drop;', 'input priority filter; policy accept;').replace(
      'counter accept',
      'counter accept\n\t\treject with icmpx admin-prohibited',
    );
    expect(read(`=nft\n${text}`).value.kind).toBe('nftables');
    expect(
      read('=iptables\n=list iptables\n-P INPUT ACCEPT\n-A INPUT -j REJECT --reject-with icmp-host-prohibited\n').value,
    ).toMatchObject({
      kind: 'iptables',
      lists: [{ name: 'iptables' }],
    });
  });

  test('iptables: each family that drops, and its saved files', () => {
    const text = `=iptables\n=list iptables\n-P INPUT DROP\n=list ip6tables\n-P INPUT ACCEPT\n=saved /etc/iptables/rules.v4\nfile 640 root root 0 0 5\n\n=nft\n${NFT}=saved /etc/nftables.conf\nfile 644 root root 0 0 5\n\n`;
    expect(read(text).value).toMatchObject({
      kind: 'iptables',
      lists: [{ name: 'iptables' }],
      saved: [{ path: '/etc/iptables/rules.v4' }],
    });
  });

  test('what cannot be read is no open door', () => {
    expect(firewall.definition.parse(answer('', { code: 1, stderr: 'netlink: Operation not permitted\n' }))).toMatchObject({
      state: 'unreadable',
    });
  });
});
