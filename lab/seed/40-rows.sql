-- The rows: always the same ones. Every value comes from its row number, none from a clock or a random source.
-- The helpers are STABLE, not IMMUTABLE, so that the planner may inline them: that halves the time of the big fill.
CREATE FUNCTION pg_temp.id(kind text, n bigint) RETURNS uuid LANGUAGE sql STABLE AS $f$ SELECT md5(kind || n)::uuid $f$;
CREATE FUNCTION pg_temp.at(n bigint) RETURNS timestamptz LANGUAGE sql STABLE AS $f$ SELECT timestamptz '2024-01-01 00:00:00.123456+00' + n * interval '61.000007 seconds' $f$;
CREATE FUNCTION pg_temp.words(n bigint) RETURNS text LANGUAGE sql STABLE AS $f$
  SELECT (ARRAY['plain', E'two\nlines', E'tab\there', E'back\\slash \\n \\.', E'quote ''single'' "double"', 'Žluťoučký kůň 馬 🐎', '', NULL, E'carriage\rreturn', '\N', '%s $1 ${x} `y`', ' spaces ', '{"not": json}', 'a,b;c|d'])[1 + n % 14] $f$;

INSERT INTO schema_version ("version", script, checksum, installed_by, started_at, ended_at, state, current, comment)
  SELECT '0405' || lpad(n::text, 4, '0'), 'upgrade/04_05_' || lpad(n::text, 4, '0') || '_change.sql', md5(n::text), 'engine', pg_temp.at(n), pg_temp.at(n + 1), 'INSTALLED', n = 330, '' FROM generate_series(1, 330) n;
INSERT INTO vdc_options (option_name, option_value) SELECT 'Option' || n, coalesce(pg_temp.words(n), 'none') FROM generate_series(1, 400) n;
INSERT INTO vdc_options (option_name, option_value) VALUES ('DwhHeartBeatInterval', '15'), ('DisconnectDwh', '0'), ('DbJustRestored', '0'), ('MinimalETLVersion', '4.5.0'), ('ConfigDir', '/etc/ovirt-engine');
INSERT INTO dwh_history_timekeeping VALUES
  ('lastFullHostCheck', NULL, '2024-06-01 10:00:00+00'), ('lastOsinfoUpdate', NULL, '2024-06-01 10:00:00+00'), ('heartBeat', NULL, '2024-06-01 10:00:00+00'),
  ('DwhCurrentlyRunning', '0', NULL), ('dwhHostname', 'engine.lab.example', NULL), ('dwhUuid', '1f0a4d5e-73a4-4bd2-9c1f-2f1f0c9f4b11', NULL), ('lastSync', NULL, '2024-06-01 10:00:00+00');
INSERT INTO dwh_osinfo SELECT n, 'os ' || n FROM generate_series(0, 40) n;
INSERT INTO storage_pool SELECT pg_temp.id('pool', n), 'Datacenter ' || n, pg_temp.words(n), 0 FROM generate_series(1, 3) n;
INSERT INTO cluster SELECT pg_temp.id('cluster', n), 'Cluster ' || n, pg_temp.words(n), pg_temp.id('pool', 1 + n % 3) FROM generate_series(1, 6) n;
INSERT INTO vds_static SELECT pg_temp.id('vds', n), 'he' || n, 'he' || n || '.lab.example', pg_temp.id('cluster', 1) FROM generate_series(1, 2) n;
INSERT INTO vds_statistics (vds_id, cpu_idle, cpu_load, mem_free, ha_score, ha_configured, ha_active, boot_time) SELECT vds_id, 90, 10, 4096, 3400, true, true, 1700000000 FROM vds_static;
INSERT INTO "Mixed Case" ("Select", "with space", "quote""d", "Ünïcode") SELECT 'row ' || n, pg_temp.words(n), pg_temp.words(n + 3), pg_temp.words(n + 5) FROM generate_series(1, 40) n;
INSERT INTO "userProfile" SELECT pg_temp.id('profile', n), 'User ' || n, (ARRAY['Shared', 'Exclusive'])[1 + n % 2]::"LockType" FROM generate_series(1, 25) n;
INSERT INTO quota_limit SELECT pg_temp.id('quota', n / 4), pg_temp.id('storage', n % 4), int4range(n::int, n::int * 10, '[]'), n * 1.000000000001, n * interval '1 day 1 second' FROM generate_series(1, 60) n;
INSERT INTO network_attachment (network_name, address, mac, subnet, bits, day, at, props)
  SELECT 'net' || n, ('10.1.2.' || n)::inet, ('02:00:00:00:00:' || lpad(to_hex(n), 2, '0'))::macaddr, ('10.' || n || '.0.0/16')::cidr, (n::int::bit(16))::varbit, date '2024-01-01' + n::int, time '00:00' + n * interval '61 s',
    json_build_object('n', n, 'text', pg_temp.words(n)) FROM generate_series(1, 50) n;
INSERT INTO affinity_group_members SELECT pg_temp.id('group', n / 3), pg_temp.id('vm', n), NULL FROM generate_series(1, 30) n;
INSERT INTO affinity_group_members SELECT * FROM affinity_group_members LIMIT 2;
INSERT INTO async_tasks_entities SELECT pg_temp.id('task', n), pg_temp.id('vm', n), 'VM' FROM generate_series(1, 12) n;
INSERT INTO cluster_policy_units SELECT pg_temp.id('policy', n / 5), pg_temp.id('unit', n), n % 3 - 1, n FROM generate_series(1, 50) n;
INSERT INTO event_notification_hist SELECT pg_temp.id('user', n), n, 'EMAIL', pg_temp.at(n), n % 2 = 0, left(coalesce(pg_temp.words(n), ''), 20) FROM generate_series(1, 40) n;
INSERT INTO event_subscriber SELECT pg_temp.id('user', n), 'EVENT_' || n, 'user' || n || '@lab.example' FROM generate_series(1, 20) n;
INSERT INTO labels_map SELECT pg_temp.id('label', n), pg_temp.id('vm', n), NULL FROM generate_series(1, 25) n;
INSERT INTO mac_pool_ranges VALUES (pg_temp.id('mac', 1), '00:1a:4a:16:01:00', '00:1a:4a:16:01:ff'), (pg_temp.id('mac', 1), '00:1a:4a:16:02:00', '00:1a:4a:16:02:ff');
INSERT INTO vm_guest_agent_interfaces SELECT pg_temp.id('vm', n), 'eth' || n % 2, NULL, '10.9.8.' || n, 'fe80::' || to_hex(n) FROM generate_series(1, 45) n;

DO $fill$
DECLARE
  one record;
  n int;
BEGIN
  FOR one IN SELECT * FROM table_catalog WHERE name NOT LIKE '%\_empty' ORDER BY at LOOP
    n := 5 + (one.at * 7) % 40;
    EXECUTE format('INSERT INTO %I ', one.name) || CASE one.shape
      WHEN 0 THEN 'SELECT pg_temp.id($1, n), ''name '' || n, pg_temp.words(n), n % 3 > 0, pg_temp.at(n), CASE WHEN n % 4 > 0 THEN jsonb_build_object(''k'', n, ''v'', pg_temp.words(n)) END'
      WHEN 1 THEN '(owner_id, value, note, parent_id) SELECT pg_temp.id($1, n), n * 1234.567891, pg_temp.words(n), CASE WHEN n > 1 THEN n / 2 END'
      WHEN 2 THEN '(tags, level, payload, matrix) SELECT ARRAY[''a'' || n, NULL, pg_temp.words(n)], n % 9, decode(md5(n::text), ''hex'') || ''\x00ff0a5c''::bytea, ARRAY[[n, 1], [2, -n]]'
      WHEN 3 THEN 'SELECT pg_temp.id($1, n / 3), pg_temp.id($1, n), n, pg_temp.words(n)'
      WHEN 4 THEN 'SELECT n * 1000000007::bigint, ''code'' || n, timestamp ''1999-12-31 23:59:59.999999'' + n * interval ''1 hour'', ''k'' || n % 7, (enum_range(NULL::vm_status))[1 + n % 6]'
      ELSE '(day, span, address, ratio) SELECT date ''2024-02-28'' + n, n * interval ''1 mon 2 days 03:04:05.000006'', (''fd00::'' || to_hex(n))::inet, CASE WHEN n = 3 THEN ''NaN'' WHEN n = 4 THEN ''-Infinity'' ELSE n / 3.0 END' END
      || ' FROM generate_series(1, $2) n' USING one.name, n;
  END LOOP;
END $fill$;
