-- What engine-backup tells the engine, with oVirt's names: events in audit_log, and the last backups of each scope.
DROP TABLE engine_backup_log CASCADE;
CREATE TABLE engine_backup_log (
  scope varchar(64) NOT NULL, done_at timestamptz NOT NULL, is_passed boolean NOT NULL, output_message text, fqdn varchar(255), log_path text,
  PRIMARY KEY (scope, done_at));
CREATE FUNCTION LogEngineBackupEvent(v_scope varchar, v_done_at timestamptz, v_status int, v_output_message text, v_fqdn varchar, v_log_path text) RETURNS void LANGUAGE plpgsql AS $f$
BEGIN
  IF v_status <> 0 THEN
    INSERT INTO engine_backup_log VALUES (v_scope, v_done_at, v_status = 1, v_output_message, v_fqdn, v_log_path);
  END IF;
  INSERT INTO audit_log (log_time, log_type_name, log_type, severity, message) VALUES (v_done_at,
    CASE v_status WHEN 0 THEN 'ENGINE_BACKUP_STARTED' WHEN 1 THEN 'ENGINE_BACKUP_COMPLETED' ELSE 'ENGINE_BACKUP_FAILED' END,
    CASE v_status WHEN 0 THEN 9024 WHEN 1 THEN 9025 ELSE 9026 END, CASE WHEN v_status = -1 THEN 2 ELSE 0 END,
    CASE v_status WHEN 0 THEN 'Backup of ' || v_scope || ' has started.' WHEN 1 THEN 'Backup of ' || v_scope || ' has completed.' ELSE 'Backup of ' || v_scope || ' has failed: ' || v_output_message END);
END $f$;
