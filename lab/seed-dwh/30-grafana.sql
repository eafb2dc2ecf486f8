-- What the setup of Grafana's role leaves in the database: granted by the superuser for what is there, by default privileges for what comes, from either.
GRANT CONNECT ON DATABASE ovirt_engine_history TO ovirt_engine_history_grafana;
GRANT USAGE ON SCHEMA public TO ovirt_engine_history_grafana;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO ovirt_engine_history_grafana;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO ovirt_engine_history_grafana;
ALTER DEFAULT PRIVILEGES FOR USER ovirt_engine_history IN SCHEMA public GRANT SELECT ON TABLES TO ovirt_engine_history_grafana;
