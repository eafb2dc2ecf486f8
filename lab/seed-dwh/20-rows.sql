-- The rows: always the same ones, as in the engine's database, whose hosts and machines these are.
CREATE FUNCTION pg_temp.id(kind text, n bigint) RETURNS uuid LANGUAGE sql STABLE AS $f$ SELECT md5(kind || n)::uuid $f$;
CREATE FUNCTION pg_temp.at(n bigint) RETURNS timestamptz LANGUAGE sql STABLE AS $f$ SELECT timestamptz '2024-06-01 00:00:00+00' + n * interval '1 minute' $f$;

INSERT INTO schema_version ("version", script, checksum, installed_by, started_at, ended_at, state, current)
  SELECT '0405' || lpad(n::text, 4, '0'), 'upgrade/04_05_' || lpad(n::text, 4, '0') || '_change.sql', md5(n::text), 'ovirt_engine_history', pg_temp.at(n), pg_temp.at(n), 'INSTALLED', n = 20 FROM generate_series(10, 20, 10) n;
INSERT INTO history_configuration VALUES
  ('default_language', 'us-en', NULL), ('firstSync', 'false', '2024-01-01 00:00:00+00'), ('HourlyAggFailed', 'false', NULL), ('lastDayAggr', NULL, '2024-06-01 00:00:00+00'),
  ('lastHourAggr', NULL, '2024-06-01 23:00:00+00'), ('MinimalETLVersion', '4.5.0', NULL);
INSERT INTO enum_translator VALUES ('HOST_STATUS', 1, 'us-en', 'Up'), ('HOST_STATUS', 2, 'us-en', 'Maintenance'), ('HOST_STATUS', 1, 'de', 'Läuft'), ('VM_STATUS', 0, 'us-en', 'Down'), ('VM_STATUS', 1, 'us-en', 'Up'), ('OS_TYPE', 0, 'us-en', 'Other OS');
INSERT INTO calendar SELECT at, at::date, extract(year FROM at), extract(month FROM at), to_char(at, 'FMMonth'), extract(day FROM at), to_char(at, 'FMDay'), at::time
  FROM generate_series(timestamptz '2024-01-01 00:00:00+00', '2024-12-31 23:00:00+00', '1 hour') at;
INSERT INTO datacenter_configuration (datacenter_id, datacenter_name, datacenter_description, create_date) SELECT pg_temp.id('pool', n), 'Datacenter ' || n, 'quote '' and "double"', pg_temp.at(0) FROM generate_series(1, 3) n;
INSERT INTO cluster_configuration (cluster_id, cluster_name, datacenter_id, create_date) SELECT pg_temp.id('cluster', n), 'Cluster ' || n, pg_temp.id('pool', 1 + n % 3), pg_temp.at(0) FROM generate_series(1, 6) n;
INSERT INTO host_configuration (host_id, host_name, cluster_id, fqdn_or_ip, memory_size_mb, create_date) SELECT pg_temp.id('vds', n), 'he' || n, pg_temp.id('cluster', 1), 'he' || n || '.lab.example', 65536, pg_temp.at(v) FROM generate_series(1, 2) n, generate_series(1, 2) v;
INSERT INTO vm_configuration (vm_id, vm_name, cluster_id, memory_size_mb, create_date) SELECT pg_temp.id('vm', n), 'vm-' || n, pg_temp.id('cluster', 1 + n % 6), 1024, pg_temp.at(n) FROM generate_series(1, 20) n;
INSERT INTO storage_domain_configuration (storage_domain_id, storage_domain_name, storage_type, create_date) SELECT pg_temp.id('storage', n), E'Stóre\t' || n, 1, pg_temp.at(n) FROM generate_series(1, 2) n;
INSERT INTO vm_disk_configuration (vm_disk_id, image_id, vm_disk_name, vm_disk_size_mb, create_date) SELECT pg_temp.id('disk', n), pg_temp.id('image', n), 'disk \n' || n, 10240, pg_temp.at(n) FROM generate_series(1, 20) n;
INSERT INTO datacenter_storage_domain_map (storage_domain_id, datacenter_id, attach_date) SELECT pg_temp.id('storage', n), pg_temp.id('pool', n), pg_temp.at(n) FROM generate_series(1, 2) n;
INSERT INTO disks_vm_map (vm_disk_id, vm_id, attach_date) SELECT pg_temp.id('disk', n), pg_temp.id('vm', n), pg_temp.at(n) FROM generate_series(1, 20) n;
INSERT INTO host_samples_history (history_datetime, host_id, host_status, seconds_in_status, memory_usage_percent, cpu_usage_percent, active_vms, host_configuration_version)
  SELECT pg_temp.at(n), pg_temp.id('vds', h), 1, 60, n % 100, (n * 7) % 100, 10, 9 + 2 * h FROM generate_series(1, 1440) n, generate_series(1, 2) h;
INSERT INTO host_hourly_history (history_datetime, host_id, host_status, seconds_in_status, cpu_usage_percent) SELECT pg_temp.at(n * 60), pg_temp.id('vds', h), 1, 3600, n % 100 FROM generate_series(1, 720) n, generate_series(1, 2) h;
INSERT INTO host_daily_history (history_datetime, host_id, host_status, seconds_in_status) SELECT date '2024-06-01' + n::int, pg_temp.id('vds', h), 1, 86400 FROM generate_series(0, 29) n, generate_series(1, 2) h;
INSERT INTO vm_samples_history (history_datetime, vm_id, vm_status, seconds_in_status, cpu_usage_percent, vm_ip) SELECT pg_temp.at(n), pg_temp.id('vm', v), 1, 60, n % 100, '10.8.0.' || v FROM generate_series(1, 300) n, generate_series(1, 20) v;
INSERT INTO vm_disks_usage_samples_history (history_datetime, vm_id, disks_usage) SELECT pg_temp.at(n), pg_temp.id('vm', n), '[{"path":"/","total":"1024","fs":"xfs"}]' FROM generate_series(1, 20) n;
INSERT INTO users_details_history SELECT pg_temp.id('user', n), 'Žofie', 'O''Hara ' || n, 'internal-authz', 'user' || n FROM generate_series(1, 5) n;
