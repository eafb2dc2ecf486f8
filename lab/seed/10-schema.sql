-- The tables of the engine's database that oVirt's own programs and Ferry's runbooks look at, with oVirt's names and columns where they matter.
CREATE TYPE vm_status AS ENUM ('down', 'up', 'powering_up', 'paused', 'migrating_from', 'not responding');
CREATE TYPE "LockType" AS ENUM ('Shared', 'Exclusive');
CREATE DOMAIN percent AS smallint CHECK (VALUE BETWEEN 0 AND 100);

CREATE TABLE schema_version (
  id serial PRIMARY KEY, "version" varchar(10) NOT NULL, script varchar(255) NOT NULL, checksum varchar(128), installed_by varchar(63) NOT NULL,
  started_at timestamp DEFAULT now(), ended_at timestamp, state character(15) NOT NULL, current boolean NOT NULL, comment text DEFAULT '');
CREATE TABLE vdc_options (
  option_id serial PRIMARY KEY, option_name varchar(100) NOT NULL, option_value text NOT NULL, version varchar(40) NOT NULL DEFAULT 'general',
  default_value text NOT NULL DEFAULT '', UNIQUE (option_name, version));
CREATE TABLE dwh_history_timekeeping (var_name varchar(50) NOT NULL, var_value varchar(255), var_datetime timestamptz);
CREATE TABLE dwh_osinfo (os_id int PRIMARY KEY, os_name varchar(255));

CREATE SEQUENCE audit_log_seq INCREMENT BY 1 START WITH 1 CACHE 1;
CREATE TABLE audit_log (
  audit_log_id bigint PRIMARY KEY DEFAULT nextval('audit_log_seq'), user_id uuid, user_name varchar(255), vm_id uuid, vm_name varchar(255), vds_id uuid,
  log_time timestamptz NOT NULL, log_type_name varchar(100) DEFAULT '', log_type int NOT NULL, severity int NOT NULL, message text NOT NULL,
  processed boolean NOT NULL DEFAULT false, correlation_id varchar(50), custom_data text DEFAULT '', deleted boolean DEFAULT false);
ALTER SEQUENCE audit_log_seq OWNED BY audit_log.audit_log_id;
CREATE INDEX idx_audit_log_log_time ON audit_log (log_time);
CREATE INDEX idx_audit_log_alerts ON audit_log (vm_id) WHERE severity > 1 AND NOT deleted;

CREATE TABLE storage_pool (id uuid PRIMARY KEY, name varchar(40) NOT NULL, description varchar(4000), quota_enforcement_type int NOT NULL DEFAULT 0);
CREATE TABLE cluster (
  cluster_id uuid PRIMARY KEY, name varchar(40) NOT NULL, description varchar(4000), storage_pool_id uuid REFERENCES storage_pool ON DELETE SET NULL,
  max_vds_memory_over_commit percent NOT NULL DEFAULT 100, "compatibility_version" varchar(40) NOT NULL DEFAULT '4.7');
CREATE TABLE vds_static (
  vds_id uuid PRIMARY KEY, vds_name varchar(255) NOT NULL UNIQUE, host_name varchar(255) NOT NULL, cluster_id uuid NOT NULL REFERENCES cluster,
  port int NOT NULL DEFAULT 54321, vds_type int NOT NULL DEFAULT 0, public_key text, ssh_port int NOT NULL DEFAULT 22 CHECK (ssh_port > 0));
CREATE TABLE vds_statistics (
  vds_id uuid PRIMARY KEY REFERENCES vds_static ON DELETE CASCADE, cpu_idle numeric(18,0), cpu_load numeric(18,0), mem_free bigint, ha_score int DEFAULT 0,
  ha_configured boolean NOT NULL DEFAULT false, ha_active boolean NOT NULL DEFAULT false, ha_global_maintenance boolean NOT NULL DEFAULT false,
  ha_local_maintenance boolean NOT NULL DEFAULT false, boot_time bigint);
CREATE TABLE vm_static (
  vm_guid uuid PRIMARY KEY, vm_name varchar(255) NOT NULL, cluster_id uuid REFERENCES cluster, mem_size_mb int NOT NULL, description varchar(4000), free_text_comment text,
  creation_date timestamptz, origin int DEFAULT 0, custom_properties jsonb NOT NULL DEFAULT '{}', icon bytea, labels text[] NOT NULL DEFAULT '{}',
  auto_startup boolean NOT NULL DEFAULT false, lease_sd_id uuid);
CREATE INDEX idx_vm_static_lower_name ON vm_static (lower(vm_name));
CREATE INDEX idx_vm_static_properties ON vm_static USING gin (custom_properties);
CREATE TABLE vm_dynamic (
  vm_guid uuid PRIMARY KEY REFERENCES vm_static ON DELETE CASCADE, status int NOT NULL, run_on_vds uuid REFERENCES vds_static, vm_ip text, cpu_usage percent,
  last_start_time timestamptz, guest_mem numeric(20,6), hash varchar(64),
  migrating_to_vds uuid REFERENCES vds_static, exit_status int NOT NULL DEFAULT 0, exit_reason int DEFAULT -1);
CREATE TABLE vm_ovf_generations (
  vm_guid uuid PRIMARY KEY REFERENCES vm_static ON DELETE CASCADE, storage_pool_id uuid REFERENCES storage_pool, ovf_generation bigint DEFAULT 0, ovf_data text);
CREATE TABLE snapshots (
  snapshot_id uuid PRIMARY KEY, vm_id uuid NOT NULL REFERENCES vm_static ON DELETE CASCADE, snapshot_type varchar(32) NOT NULL, status varchar(32) NOT NULL,
  description varchar(4000), creation_date timestamptz NOT NULL, vm_configuration text, memory_metadata bytea);
CREATE TABLE job (
  job_id uuid PRIMARY KEY, action_type varchar(50) NOT NULL, description text NOT NULL, status varchar(32) NOT NULL, start_time timestamptz NOT NULL, end_time timestamptz,
  correlation_id varchar(50) NOT NULL, is_external boolean DEFAULT false);
CREATE TABLE step (
  step_id uuid PRIMARY KEY, parent_step_id uuid REFERENCES step ON DELETE CASCADE, job_id uuid NOT NULL REFERENCES job ON DELETE CASCADE, step_type varchar(32) NOT NULL,
  description text NOT NULL, step_number int NOT NULL, status varchar(32) NOT NULL, start_time timestamptz NOT NULL, progress percent);
CREATE TABLE images (
  image_guid uuid PRIMARY KEY, creation_date timestamptz NOT NULL, size bigint NOT NULL, parent_id uuid, volume_format int NOT NULL DEFAULT 4, actual_size bigint,
  _update_date timestamptz, active boolean NOT NULL DEFAULT false, ratio double precision, checks real);
CREATE TABLE "Mixed Case" ("Id" int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, "Select" text NOT NULL, "with space" text, "quote""d" text, "Ünïcode" text);
CREATE TABLE "userProfile" ("profileId" uuid PRIMARY KEY, "userName" text NOT NULL, "lockType" "LockType" NOT NULL DEFAULT 'Shared', CONSTRAINT "userProfile_Name" UNIQUE ("userName"));
CREATE TABLE quota_limit (quota_id uuid, storage_id uuid, limit_range int4range NOT NULL, "limit" numeric(38,12), period interval, PRIMARY KEY (quota_id, storage_id));
CREATE TABLE network_attachment (
  id bigint GENERATED BY DEFAULT AS IDENTITY (START WITH 1000 INCREMENT BY 10) PRIMARY KEY, network_name text NOT NULL, address inet, mac macaddr, subnet cidr,
  bits bit varying(16), day date, at time, props json, total numeric GENERATED ALWAYS AS (length(network_name)::numeric * 1.5) STORED);

-- The nine tables without any unique key.
CREATE TABLE affinity_group_members (affinity_group_id uuid NOT NULL, vm_id uuid, vds_id uuid);
CREATE TABLE async_tasks_entities (async_task_id uuid NOT NULL, entity_id uuid NOT NULL, entity_type varchar(128));
CREATE TABLE cluster_policy_units (cluster_policy_id uuid, policy_unit_id uuid, filter_sequence int DEFAULT 0, factor int DEFAULT 1);
CREATE TABLE event_notification_hist (subscriber_id uuid NOT NULL, audit_log_id bigint NOT NULL, method_type char(10) NOT NULL, sent_at timestamptz NOT NULL, status boolean NOT NULL, reason char(255));
CREATE TABLE event_subscriber (subscriber_id uuid NOT NULL, event_up_name varchar(100) NOT NULL, method_address varchar(255), tag_name varchar(50) NOT NULL DEFAULT '', notification_method varchar(32) DEFAULT 'EMAIL');
CREATE TABLE labels_map (label_id uuid NOT NULL, vm_id uuid, vds_id uuid);
CREATE TABLE mac_pool_ranges (mac_pool_id uuid NOT NULL, from_mac varchar(17) NOT NULL, to_mac varchar(17) NOT NULL);
CREATE TABLE vm_guest_agent_interfaces (vm_id uuid NOT NULL, interface_name varchar(50), mac_address varchar(59), ipv4_addresses text, ipv6_addresses text);
