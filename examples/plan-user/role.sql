-- Run it in every cluster, as its superuser:  runuser -u postgres -- psql -v ON_ERROR_STOP=1 -f role.sql
-- The role ferry-plan logs in over the socket by `peer`, as the rule "local all all peer" lets it. It reads all tables, settings,
-- rules and the verifiers of passwords, and owns nothing. Running it twice is fine. Before PostgreSQL 15 anybody who can log in
-- may also make tables in the schema public of a database, unless that is taken away there.
SELECT count(*) = 0 AS missing FROM pg_roles WHERE rolname = 'ferry-plan' \gset
\if :missing
CREATE ROLE "ferry-plan" LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION BYPASSRLS;
\endif
GRANT pg_monitor TO "ferry-plan";
-- PostgreSQL 14 and later. Before that: GRANT SELECT ON ALL TABLES IN SCHEMA ... in every database.
SELECT current_setting('server_version_num')::int >= 140000 AS reads_all \gset
\if :reads_all
GRANT pg_read_all_data TO "ferry-plan";
\endif
GRANT SELECT ON pg_authid TO "ferry-plan";
GRANT EXECUTE ON FUNCTION pg_hba_file_rules() TO "ferry-plan";
GRANT EXECUTE ON FUNCTION pg_show_all_file_settings() TO "ferry-plan";
GRANT SELECT ON pg_hba_file_rules, pg_file_settings TO "ferry-plan";
