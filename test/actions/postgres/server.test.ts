import { describe, expect, test } from 'vitest';
import { awaitServer, control, createCluster, setStart } from '../../../src/actions/postgres/server.ts';

const debian = { family: 'debian', version: 15, name: 'main', unit: 'postgresql@15-main.service' } as const;
const el = { family: 'el', version: 13, name: null, unit: 'postgresql.service' } as const;

describe('the commands for a server', () => {
  test('of Debian go through its cluster tools', () => {
    expect(control(debian, 'restart').text).toBe('pg_ctlcluster 15 main restart -m fast');
    expect(control(debian, 'stop').text).toBe('{ pg_ctlcluster 15 main stop -m fast || [ $? -eq 2 ]; }');
    expect(createCluster(debian, 5433, 'en_US.UTF-8').text).toBe(
      'pg_createcluster 15 main -p 5433 -e UTF8 --locale en_US.UTF-8 --start-conf=auto >/dev/null',
    );
    expect(setStart(debian, { enabled: true, start: 'auto' }).text).toContain(
      '/etc/postgresql/15/main/start.conf && systemctl enable postgresql.service',
    );
    expect(setStart(debian, { enabled: null, start: 'manual' }).text).not.toContain('systemctl enable');
  });

  test('of Enterprise Linux go through systemd and postgresql-setup', () => {
    expect(control(el, 'restart').text).toBe('systemctl restart postgresql.service');
    expect(setStart(el, { enabled: false, start: null }).text).toBe('systemctl disable postgresql.service 2>&1');
    expect(createCluster(el, 5432, 'en_US.UTF-8').text).toBe(
      `PGSETUP_INITDB_OPTIONS='--encoding=UTF8 --locale=en_US.UTF-8 --auth-host=scram-sha-256' postgresql-setup --initdb --unit postgresql && :`,
    );
    expect(createCluster(el, 5433, null).text).toContain(
      String.raw`printf 'port = %s\n' 5433 >>/var/lib/pgsql/data/postgresql.conf`,
    );
    expect(awaitServer(el, 5433).text).toContain('systemctl is-active --quiet postgresql.service');
  });
});
