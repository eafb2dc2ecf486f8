import { execOn } from '../../lab/lab.ts';

export const ENGINE_UNITS = 'ovirt-engine ovirt-engine-dwhd ovirt-fence-kdump-listener grafana-server';

/** An engine on the lab that is saved, lost and restored: what is done to it and seen of it past Ferry. */
export class EngineToRestore {
  readonly #labDir: string;

  constructor(labDir: string) {
    this.#labDir = labDir;
  }

  /** What a script that must succeed prints. */
  async on(script: string, host = 'engine'): Promise<string> {
    const { code, stdout, stderr } = await execOn(this.#labDir, host, script);
    if (code !== 0) throw new Error(`${script} on ${host} ended with exit code ${code}: ${stderr}`);
    return stdout.trim();
  }

  psql(sql: string, database = 'engine', host = 'engine'): Promise<string> {
    return this.on(`cd /; runuser -u postgres -- psql -XAtq -v ON_ERROR_STOP=1 -d ${database} <<'EOF'\n${sql}\nEOF`, host);
  }

  /** Names, owners, modes, attributes and bytes of the product's files. */
  filesNow(): Promise<string> {
    return this.on(`cd /; for d in etc/ovirt-engine etc/ovirt-engine-dwh etc/grafana etc/ovirt-engine-setup.conf.d; do find $d -printf '%p %y %m %U %G %l\\n'; find $d -type f -exec sha256sum {} +; done | LC_ALL=C sort
python3 -c "import os;print(os.listxattr('/etc/ovirt-engine/engine.conf'))"`);
  }

  /** Rows of every table but those the cleaning touches and those that programs write, and, unless `owners` is false, who owns what. */
  async dataNow(host = 'engine', owners = true) {
    const count = (database: string, but: string) =>
      this.psql(
        `SELECT format('SELECT %L, count(*), coalesce(sum(hashtextextended(t::text, 0)), 0) FROM %s t;', c.oid::regclass, c.oid::regclass) FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE relkind = 'r' AND nspname !~ '^pg_|^information' AND relname NOT IN (${but}) ORDER BY 1 \\gexec`,
        database,
        host,
      );
    const engine =
      "'job','step','async_tasks','async_tasks_entities','business_entity_snapshot','command_entities','job_subject_entity','audit_log','engine_backup_log','dwh_history_timekeeping','vdc_options','vm_dynamic','vds_statistics','command_assoc_entities'";
    const who =
      "SELECT relname, pg_get_userbyid(relowner), relacl FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE nspname = 'public' ORDER BY 1";
    return {
      engine: await count('engine', engine),
      dwh: await count('ovirt_engine_history', "'host_samples_history','history_configuration'"),
      owners: owners ? [await this.psql(who, 'engine', host), await this.psql(who, 'ovirt_engine_history', host)] : [],
    };
  }

  /** Has its machine as it is when a backup is to be restored: databases empty, files others than those of the backup. */
  async lose(): Promise<void> {
    await this.on(`systemctl stop ${ENGINE_UNITS}`);
    await this.haveEmpty('engine', { engine: 'engine', ovirt_engine_history: 'ovirt_engine_history' });
    await this.on(
      `echo '# lost' >/etc/ovirt-engine/engine.conf; rm -f /etc/ovirt-engine-dwh/ovirt-engine-dwhd.conf.d/10-setup-scale.conf; echo '# new' >/etc/ovirt-engine/engine.conf.d/99-new.conf`,
    );
  }

  /** Has empty databases on a server, each with its owner, and the extension the engine's needs. */
  async haveEmpty(host: string, owners: { readonly [database: string]: string }): Promise<void> {
    for (const [database, owner] of Object.entries(owners))
      await this.psql(
        `DROP DATABASE IF EXISTS ${database} WITH (FORCE);\nCREATE DATABASE ${database} OWNER ${owner} TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'en_US.UTF-8' LC_CTYPE 'en_US.UTF-8';`,
        'postgres',
        host,
      );
    await this.psql('CREATE EXTENSION "uuid-ossp"', 'engine', host);
  }
}
