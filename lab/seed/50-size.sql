-- Fills the big tables in rounds until the database has the wanted size; a round is about 1 MB. Then what only the end can set.
CREATE PROCEDURE pg_temp.fill(target bigint) LANGUAGE plpgsql AS $f$
DECLARE
  a bigint := 1;
  rows_per_round CONSTANT bigint := 150;
  b bigint;
BEGIN
  LOOP
    b := a + rows_per_round - 1;
    INSERT INTO vm_static SELECT pg_temp.id('vm', n), 'vm-' || n, pg_temp.id('cluster', 1 + n % 6), 1024 * (1 + n % 16), pg_temp.words(n), pg_temp.words(n + 2), pg_temp.at(n), n % 5,
      jsonb_build_object('n', n, 'hooks', ARRAY['a', 'b'], 'text', pg_temp.words(n)), decode(repeat(md5('icon' || n), 8), 'hex'), ARRAY['label' || n % 7, 'x"y'] FROM generate_series(a, b) n;
    INSERT INTO vm_dynamic SELECT pg_temp.id('vm', n), n % 6, CASE WHEN n % 3 = 0 THEN pg_temp.id('vds', 1 + n % 2) END, '10.8.' || n % 256 || '.7', n % 101, pg_temp.at(n), n / 7.0, md5(n::text)
      FROM generate_series(a, b) n;
    INSERT INTO vm_ovf_generations SELECT pg_temp.id('vm', n), pg_temp.id('pool', 1 + n % 3), n, (SELECT string_agg(repeat('<Item id="' || md5(n || ':' || i) || E'"/>\n', 3), '') FROM generate_series(1, 8) i) FROM generate_series(a, b) n;
    INSERT INTO snapshots SELECT pg_temp.id('snapshot', n), pg_temp.id('vm', n), 'ACTIVE', 'OK', pg_temp.words(n), pg_temp.at(n), (SELECT string_agg(repeat(md5(n || '.' || i) || ' ', 3), '') FROM generate_series(1, 12) i), decode(md5('m' || n), 'hex')
      FROM generate_series(a, b) n;
    INSERT INTO job SELECT pg_temp.id('job', n), 'AddVm', 'Creating VM vm-' || n, 'FINISHED', pg_temp.at(n), pg_temp.at(n + 1), md5('c' || n) FROM generate_series(a, b) n;
    INSERT INTO step SELECT pg_temp.id('step', n), NULL, pg_temp.id('job', n), 'EXECUTING', coalesce(pg_temp.words(n), 'none'), 1, 'FINISHED', pg_temp.at(n), 100 FROM generate_series(a, b) n;
    INSERT INTO images (image_guid, creation_date, size, parent_id, actual_size, active, ratio, checks) SELECT pg_temp.id('image', n), pg_temp.at(n), n * 1073741824, NULL, n * 4096, true, n / 3.0, n / 7.0 FROM generate_series(a, b) n;
    INSERT INTO audit_log (user_name, vm_name, vm_id, log_time, log_type_name, log_type, severity, message, processed, correlation_id)
      SELECT 'admin', 'vm-' || n, pg_temp.id('vm', n), pg_temp.at(n), 'USER_RUN_VM', 32, (n % 3)::int, 'VM vm-' || n || ' started by ' || coalesce(pg_temp.words(n), '') || repeat(md5('l' || n) || ' ', 3), true, md5('c' || n)
      FROM generate_series((a - 1) * 6 + 1, b * 6) n;
    COMMIT;
    a := b + 1;
    EXIT WHEN pg_database_size(current_database()) >= target;
  END LOOP;
END $f$;
CALL pg_temp.fill(:size_mb * 1000000::bigint);
-- Highly available ones: without a lease, and one with.
UPDATE vm_static SET auto_startup = true, lease_sd_id = CASE WHEN vm_name = 'vm-9' THEN pg_temp.id('domain', 1) END WHERE vm_name IN ('vm-1', 'vm-3', 'vm-9');
REFRESH MATERIALIZED VIEW vm_counts;
ALTER SEQUENCE audit_log_seq INCREMENT BY 1 CACHE 1;
SELECT setval('audit_log_seq', (SELECT max(audit_log_id) FROM audit_log) + 1234);
CREATE SEQUENCE vm_pool_seq INCREMENT BY 5 START WITH 17 MINVALUE 7 MAXVALUE 100000 CYCLE;
SELECT setval('vm_pool_seq', 4242, false);
CREATE SEQUENCE "Unused Seq" AS smallint INCREMENT BY -1;
