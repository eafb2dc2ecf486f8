-- Views, triggers and functions that a move must carry over.
CREATE FUNCTION fn_stamp_update() RETURNS trigger LANGUAGE plpgsql AS $f$
BEGIN
  NEW._update_date := coalesce(NEW._update_date, timestamptz '2024-01-01 00:00:00+00');
  RETURN NEW;
END $f$;
CREATE TRIGGER images_stamp BEFORE INSERT OR UPDATE ON images FOR EACH ROW EXECUTE FUNCTION fn_stamp_update();
CREATE FUNCTION fn_check_labels() RETURNS trigger LANGUAGE plpgsql AS $f$
BEGIN
  IF NEW.label_id IS NULL THEN RAISE EXCEPTION 'a label needs an id' USING ERRCODE = 'not_null_violation'; END IF;
  RETURN NEW;
END $f$;
CREATE CONSTRAINT TRIGGER labels_map_check AFTER INSERT ON labels_map DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION fn_check_labels();

CREATE FUNCTION fn_get_option(v_name text, v_version text DEFAULT 'general') RETURNS text LANGUAGE sql STABLE AS
  $f$ SELECT option_value FROM vdc_options WHERE option_name = v_name AND version = v_version $f$;
CREATE FUNCTION fn_new_id(v_seed text) RETURNS uuid LANGUAGE sql IMMUTABLE AS $f$ SELECT uuid_generate_v5(uuid_ns_url(), v_seed) $f$;
CREATE FUNCTION "fnSplitter"(ids text) RETURNS SETOF uuid LANGUAGE plpgsql IMMUTABLE AS
  $f$ BEGIN RETURN QUERY SELECT unnest(string_to_array(ids, ','))::uuid; END $f$;
CREATE PROCEDURE delete_old_jobs(v_before timestamptz) LANGUAGE sql AS $f$ DELETE FROM job WHERE end_time < v_before $f$;
CREATE AGGREGATE string_sum (text) (SFUNC = textcat, STYPE = text, INITCOND = '');

CREATE VIEW vms AS
  SELECT s.vm_guid, s.vm_name, d.status, d.run_on_vds, c.name AS cluster_name, s.mem_size_mb FROM vm_static s JOIN vm_dynamic d USING (vm_guid) LEFT JOIN cluster c USING (cluster_id);
CREATE VIEW vms_running AS SELECT * FROM vms WHERE (status)::text = ANY (ARRAY['1'::varchar, '2'::varchar, '4'::varchar]::text[]);
CREATE VIEW vds AS SELECT s.*, t.ha_score, t.ha_global_maintenance, t.ha_local_maintenance FROM vds_static s JOIN vds_statistics t USING (vds_id);
CREATE VIEW audit_log_alerts AS SELECT audit_log_id, log_time, message FROM audit_log WHERE severity = ANY (ARRAY[2, 10]) AND NOT deleted;
CREATE VIEW "Mixed View" AS SELECT "Id", "Select" || coalesce("with space", '') AS "Both" FROM "Mixed Case";
CREATE MATERIALIZED VIEW vm_counts AS SELECT cluster_id, count(*) AS vms, sum(mem_size_mb) AS mem FROM vm_static GROUP BY cluster_id WITH NO DATA;
CREATE UNIQUE INDEX vm_counts_cluster ON vm_counts (cluster_id);
CREATE RULE vms_running_no_delete AS ON DELETE TO vms_running DO INSTEAD NOTHING;
COMMENT ON FUNCTION fn_get_option(text, text) IS 'The value of an option, or NULL';
COMMENT ON COLUMN vm_static.labels IS 'Names, in no order; may hold ''quotes''';
GRANT SELECT ON schema_version, vms TO PUBLIC;
REVOKE EXECUTE ON FUNCTION fn_new_id(text) FROM PUBLIC;
