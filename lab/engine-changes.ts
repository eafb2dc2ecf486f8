import { databaseConfFiles, dwhAccess } from './engine-conf.ts';
import { execOn } from './exec-on.ts';
import { labFolder } from './folders.ts';
import { LabError } from './lab-error.ts';
import { requireLabState } from './lab-state.ts';

const SERVICES = 'ovirt-engine ovirt-engine-dwhd ovirt-fence-kdump-listener';

/** Gives the role engine another password in the engine host's own cluster and in every conf file, and restarts what was running. */
export async function setEnginePassword(dir: string | undefined, password: string): Promise<void> {
  const folder = labFolder(dir);
  const { database } = await readAccess(folder);
  await change(folder, { database, password }, `ALTER ROLE engine PASSWORD ${literal(password)};`);
}

/** Renames the engine's database in the engine host's own cluster and in every conf file, and restarts what was running. */
export async function renameEngineDatabase(dir: string | undefined, database: string): Promise<void> {
  const folder = labFolder(dir);
  const access = await readAccess(folder);
  await change(
    folder,
    { ...access, database },
    `ALTER DATABASE ${identifier(access.database)} RENAME TO ${identifier(database)};`,
  );
}

/** The name and password that the engine host's conf gives for the engine's database now. */
export async function readAccess(folder: string): Promise<{ database: string; password: string }> {
  const share = '/usr/share/ovirt-engine/services/ovirt-engine';
  const program = `import json, sys; sys.dont_write_bytecode = True
import ovirt_conf; v = ovirt_conf.load('${share}/ovirt-engine.conf', '/etc/ovirt-engine/engine.conf')
print(json.dumps({'database': v['ENGINE_DB_DATABASE'], 'password': v['ENGINE_DB_PASSWORD']}))`;
  return JSON.parse(await onEngine(folder, 'python3 -', program, 'read the conf of the engine'));
}

async function change(folder: string, access: { database: string; password: string }, sql: string): Promise<void> {
  const running = await onEngine(
    folder,
    `for unit in ${SERVICES}; do systemctl is-active -q $unit && echo $unit; done; true`,
    '',
    'list the services',
  );
  const units = running.split('\n').filter(Boolean).join(' ');
  if (units) await onEngine(folder, `systemctl stop ${units}`, '', 'stop the services');
  await onEngine(folder, 'cd / && runuser -u postgres -- psql -X -q -v ON_ERROR_STOP=1', sql, 'change the database');
  const { dwh } = dwhAccess((await requireLabState(folder)).dbPassword);
  for (const file of databaseConfFiles({ host: 'localhost', port: 5432, user: 'engine', ...access }, dwh)) {
    // cat into the file keeps its owner and mode.
    await onEngine(folder, `cat >${file.path}`, file.text, `write ${file.path}`);
  }
  if (units) await onEngine(folder, `systemctl start ${units}`, '', 'start the services');
}

async function onEngine(folder: string, script: string, input: string, doing: string): Promise<string> {
  const result = await execOn(folder, 'engine', script, { input });
  if (result.code !== 0) {
    throw new LabError(
      `The lab could not ${doing} on engine: ${result.stderr.trim()}. Its services may be stopped.`,
      'ferry lab reset engine',
    );
  }
  return result.stdout;
}

const identifier = (name: string): string => `"${name.replaceAll('"', '""')}"`;
/** E'' so that the outcome does not depend on standard_conforming_strings. */
const literal = (text: string): string => `E'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
