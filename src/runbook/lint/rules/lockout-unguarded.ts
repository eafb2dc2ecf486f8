import { paramOf } from '../book.ts';
import { defineRule } from '../rule.ts';

/** Files that decide who gets in: sshd's, firewalls', pg_hba.conf. */
const WAY_IN =
  /^\/etc\/(?:ssh\/sshd_config|nftables|firewalld\/|iptables\/|ufw\/|sysconfig\/(?:ip6?tables|nftables)|hosts\.(?:allow|deny)$)|\/pg_hba\.conf$/;

export default defineRule({
  code: 'LOCKOUT_UNGUARDED',
  severity: 'warning',
  why: 'When the change shuts Ferry out, nobody can take it back from afar: somebody has to go to the console.',
  fix: 'Let the host put the old file back by itself: deadMan: { after: 2m, then: systemctl reload ssh }.',
  bad: `
steps:
  - id: harden
    host: app
    uses: file.put
    with: { path: /etc/ssh/sshd_config.d/90-hard.conf, content: "PermitRootLogin no\\n" }`,
  good: `
steps:
  - id: harden
    host: app
    uses: file.put
    with: { path: /etc/ssh/sshd_config.d/90-hard.conf, content: "PermitRootLogin no\\n" }
    deadMan: { after: 2m, then: systemctl reload ssh }`,
  check(book) {
    const changed = [...book.all('make-file'), ...book.all('configure')].filter(
      ({ by, what }) => by.step.deadMan === undefined && WAY_IN.test(what.path),
    );
    // A step that puts a file both makes and configures it.
    return [...new Map(changed.map((one) => [one.by.step.id, one])).values()].map(({ by, what }) => ({
      args: { step: by.step.id, path: what.path },
      step: by,
      at: paramOf(by.step, 'path')?.at,
    }));
  },
});
