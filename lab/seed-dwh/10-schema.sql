-- The data warehouse's database: oVirt's table names, keys and sequences, with the columns that dwhd's samples, Grafana and Ferry look at.
CREATE TABLE schema_version (
  id serial PRIMARY KEY, "version" varchar(10) NOT NULL, script varchar(255) NOT NULL, checksum varchar(128), installed_by varchar(63) NOT NULL,
  started_at timestamp DEFAULT now(), ended_at timestamp, state character(15) NOT NULL, current boolean NOT NULL, comment text DEFAULT '');
CREATE TABLE history_configuration (var_name varchar(50) PRIMARY KEY, var_value varchar(255), var_datetime timestamptz);
CREATE TABLE enum_translator (
  enum_type varchar(40), enum_key smallint, language_code varchar(40), value text NOT NULL, PRIMARY KEY (enum_type, enum_key, language_code));
CREATE TABLE calendar (
  the_datetime timestamptz PRIMARY KEY, the_date date NOT NULL, the_year smallint, the_month smallint, month_name varchar(10), the_day smallint, day_name varchar(10), the_hour time);
CREATE SEQUENCE configuration_seq;
CREATE SEQUENCE datacenter_storage_domain_map_seq;
CREATE SEQUENCE disk_vm_device_history_seq;
CREATE SEQUENCE disk_vm_map_seq;
CREATE SEQUENCE tag_relations_history_seq;
CREATE TABLE datacenter_storage_domain_map (
  history_id int PRIMARY KEY DEFAULT nextval('datacenter_storage_domain_map_seq'), storage_domain_id uuid NOT NULL, datacenter_id uuid NOT NULL, attach_date timestamptz NOT NULL, detach_date timestamptz);
CREATE TABLE vm_device_history (
  history_id int PRIMARY KEY DEFAULT nextval('disk_vm_device_history_seq'), vm_id uuid NOT NULL, device_id uuid NOT NULL, type varchar(30) NOT NULL, address varchar(255) NOT NULL,
  is_managed boolean NOT NULL DEFAULT false, create_date timestamptz NOT NULL, delete_date timestamptz);
CREATE TABLE disks_vm_map (
  history_id int PRIMARY KEY DEFAULT nextval('disk_vm_map_seq'), vm_disk_id uuid NOT NULL, vm_id uuid NOT NULL, attach_date timestamptz NOT NULL, detach_date timestamptz);
CREATE TABLE tag_details (
  history_id int PRIMARY KEY DEFAULT nextval('configuration_seq'), tag_id uuid NOT NULL, tag_name varchar(50) NOT NULL, tag_path varchar(4000) NOT NULL, tag_level smallint NOT NULL, create_date timestamptz NOT NULL);
CREATE TABLE tag_relations_history (
  history_id int PRIMARY KEY DEFAULT nextval('tag_relations_history_seq'), entity_id uuid NOT NULL, entity_type smallint NOT NULL, parent_id uuid, attach_date timestamptz NOT NULL, detach_date timestamptz);
CREATE TABLE users_details_history (user_id uuid PRIMARY KEY, first_name varchar(255), last_name varchar(255), domain varchar(255) NOT NULL, username varchar(255) NOT NULL);

-- Each kind of thing has its configuration, every version of it a row, and three tables of samples, which name the version they were taken under.
DO $make$
DECLARE
  kind record;
  part record;
BEGIN
  FOR kind IN SELECT * FROM (VALUES
    ('datacenter', 'datacenter_id', NULL, 'datacenter_name varchar(40) NOT NULL, datacenter_description varchar(4000), is_local_storage boolean', ''),
    ('cluster', 'cluster_id', NULL, 'cluster_name varchar(40) NOT NULL, datacenter_id uuid, compatibility_version varchar(40) NOT NULL DEFAULT ''4.7''', ''),
    ('storage_domain', 'storage_domain_id', 'storage_domain_history_seq', 'storage_domain_name varchar(250) NOT NULL, storage_type smallint NOT NULL', 'available_disk_size_gb int, used_disk_size_gb int'),
    ('host', 'host_id', 'host_history_seq', 'host_name varchar(255) NOT NULL, cluster_id uuid NOT NULL, fqdn_or_ip varchar(255) NOT NULL, memory_size_mb int, cpu_model varchar(255), number_of_threads smallint',
      'host_status smallint NOT NULL, seconds_in_status int, memory_usage_percent smallint DEFAULT 0, cpu_usage_percent smallint, active_vms smallint DEFAULT 0, swap_used_mb int'),
    ('host_interface', 'host_interface_id', 'host_interface_history_seq', 'host_interface_name varchar(50) NOT NULL, host_id uuid NOT NULL, mac_address varchar(59), bond boolean',
      'receive_rate_percent numeric(18,4), transmit_rate_percent numeric(18,4), received_total_byte bigint'),
    ('vm', 'vm_id', 'vm_history_seq', 'vm_name varchar(255) NOT NULL, cluster_id uuid NOT NULL, template_name varchar(255), memory_size_mb int, high_availability boolean',
      'vm_status smallint NOT NULL, seconds_in_status int, cpu_usage_percent smallint DEFAULT 0, memory_usage_percent smallint DEFAULT 0, vm_ip text, currently_running_on_host uuid'),
    ('vm_interface', 'vm_interface_id', 'vm_interface_history_seq', 'vm_interface_name varchar(50) NOT NULL, vm_id uuid, mac_address varchar(20)',
      'receive_rate_percent numeric(18,4), transmit_rate_percent numeric(18,4), received_total_byte bigint'),
    ('vm_disk', 'vm_disk_id', 'vm_disk_history_seq', 'image_id uuid NOT NULL, vm_disk_name varchar(255), vm_disk_size_mb int, is_shared boolean',
      'vm_disk_status smallint, vm_disk_actual_size_mb int NOT NULL, read_latency_seconds numeric(18,9), write_rate_bytes_per_second bigint'),
    ('vm_disks_usage', 'vm_id', 'vm_disks_usage_history_seq', NULL, 'disks_usage text'))
    AS list (name, id, sequence, configuration, samples)
  LOOP
    IF kind.configuration IS NOT NULL THEN
      EXECUTE format('CREATE TABLE %I (history_id int PRIMARY KEY DEFAULT nextval(''configuration_seq''), %I uuid NOT NULL, %s, create_date timestamptz, update_date timestamptz, delete_date timestamptz)',
        kind.name || '_configuration', kind.id, kind.configuration);
      EXECUTE format('CREATE INDEX %I ON %I (%I)', kind.name || '_configuration_' || kind.id || '_idx', kind.name || '_configuration', kind.id);
    END IF;
    IF kind.sequence IS NOT NULL THEN
      FOR part IN SELECT * FROM (VALUES ('samples', 1, 'timestamptz'), ('hourly', 2, 'timestamptz'), ('daily', 3, 'date')) AS list (name, number, at) LOOP
        EXECUTE format('CREATE SEQUENCE %I', kind.sequence || part.number);
        EXECUTE format('CREATE TABLE %I (history_id bigint PRIMARY KEY DEFAULT nextval(%L), history_datetime %s NOT NULL, %I uuid NOT NULL, %s%s)', kind.name || '_' || part.name || '_history',
          kind.sequence || part.number, part.at, kind.id, kind.samples, CASE WHEN kind.configuration IS NULL THEN '' ELSE format(', %I int', kind.name || '_configuration_version') END);
        EXECUTE format('CREATE INDEX %I ON %I (history_datetime)', 'idx_' || kind.name || '_history_datetime_' || part.name, kind.name || '_' || part.name || '_history');
      END LOOP;
    END IF;
  END LOOP;
END $make$;
CREATE TABLE statistics_vms_users_usage_hourly (
  history_id bigserial PRIMARY KEY, history_datetime timestamptz NOT NULL, user_id uuid, vm_id uuid NOT NULL, session_time_in_minutes numeric(7,2) NOT NULL DEFAULT 60);
CREATE TABLE statistics_vms_users_usage_daily (
  history_id bigserial PRIMARY KEY, history_datetime date NOT NULL, user_id uuid, vm_id uuid NOT NULL, session_time_in_minutes numeric(7,2) NOT NULL DEFAULT 1440);

CREATE FUNCTION checkdbconnection() RETURNS SETOF int LANGUAGE sql STABLE AS 'SELECT 1';
CREATE FUNCTION to_local(v_at timestamptz, v_zone text DEFAULT 'UTC') RETURNS timestamp LANGUAGE plpgsql STABLE AS $f$ BEGIN RETURN v_at AT TIME ZONE v_zone; END $f$;
CREATE FUNCTION fn_enum(v_type text, v_key int, v_language text DEFAULT 'us-en') RETURNS text LANGUAGE sql STABLE AS
  $f$ SELECT value FROM enum_translator WHERE enum_type = v_type AND enum_key = v_key AND language_code = v_language $f$;

CREATE VIEW v4_5_configuration_history_hosts AS SELECT history_id, host_id, host_name, cluster_id, fqdn_or_ip, memory_size_mb, create_date, update_date, delete_date FROM host_configuration;
CREATE VIEW v4_5_latest_configuration_hosts AS
  SELECT * FROM v4_5_configuration_history_hosts WHERE history_id IN (SELECT max(history_id) FROM host_configuration GROUP BY host_id) AND delete_date IS NULL;
CREATE VIEW v4_5_latest_configuration_virtual_machines AS
  SELECT history_id, vm_id, vm_name, cluster_id, memory_size_mb FROM vm_configuration WHERE history_id IN (SELECT max(history_id) FROM vm_configuration GROUP BY vm_id) AND delete_date IS NULL;
CREATE VIEW v4_5_statistics_hosts_resources_usage_samples AS
  SELECT s.*, fn_enum('HOST_STATUS', s.host_status) AS host_status_name FROM host_samples_history s;
CREATE VIEW v4_5_statistics_hosts_resources_usage_hourly AS SELECT * FROM host_hourly_history;
CREATE VIEW v4_5_statistics_vms_resources_usage_samples AS
  SELECT s.history_id, s.history_datetime, s.vm_id, c.vm_name, s.vm_status, s.cpu_usage_percent FROM vm_samples_history s LEFT JOIN vm_configuration c ON c.history_id = s.vm_configuration_version;
CREATE VIEW v4_5_enums AS SELECT * FROM enum_translator;
