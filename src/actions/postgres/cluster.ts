import { z } from 'zod';
import { FerryError } from '../../errors/ferry-error.ts';
import { pgCluster, startsAtBoot } from '../../facts/pg-cluster.ts';
import { pgInstall } from '../../facts/pg-install.ts';
import { readFacts } from '../../facts/read.ts';
import { blocked, change, defineAction, noChange, type Site } from '../action.ts';
import { unknown } from '../outputs.ts';
import { clusterPort } from './params.ts';
import { awaitServer, control, createCluster, serverRef, setStart } from './server.ts';
import { type ClusterUndo, clusterPreview, keptCluster } from './undo-of-servers.ts';

type Server = ReturnType<typeof serverRef>;
type Data = { port: number; server: Server | null; create: boolean; locale: string | null; start: string | null };

export default defineAction({
  summary: 'Have a PostgreSQL cluster that runs and starts with the machine.',
  description:
    'Makes the cluster when there is none on the port. The form for Enterprise Linux follows its documentation and was run with a stand-in of postgresql-setup only.',
  undone: 'A cluster that was there runs and starts as before; one that was made is stopped and kept.',
  params: z.strictObject({
    port: clusterPort(),
    name: z
      .string()
      .regex(/^[A-Za-z0-9_][A-Za-z0-9_.-]*$/, 'write a name such as main')
      .default('main')
      .describe('Debian name of a cluster to be made.'),
    version: z.int().min(10).optional().describe('Major version of a cluster to be made; the newest installed unless given.'),
    locale: z
      .string()
      .min(1)
      .optional()
      .describe('Locale of a cluster to be made, such as en_US.UTF-8; that of the system unless given.'),
  }),
  outputs: { version: 'Major version of the server.', unit: 'Its systemd unit.', port: 'Its port.' },
  facts: ({ host }, { port }) => ({ cluster: pgCluster(port).on(host.name), install: pgInstall().on(host.name) }),
  touches: ({ port }, role) => ({
    changes: [[role, pgCluster.key(port)]],
    reads: [[role, pgInstall.key()]],
    effects: [{ does: 'have-cluster', role, port }],
  }),
  plan(params, facts, { host }: Site) {
    const { port } = params;
    const now = facts.cluster.value;
    const outputs = (server: Server) => ({ version: server.version, unit: server.unit, port });
    if (now) {
      const server = serverRef(now);
      if (now.running && startsAtBoot(now)) return noChange('runs and starts with the machine', { outputs: outputs(server) });
      const start = now.start === null ? null : 'auto';
      const words = [now.running ? '' : 'start it', startsAtBoot(now) ? '' : 'enable it'].filter(Boolean);
      const former = [now.running ? '' : 'stop it', startsAtBoot(now) ? '' : 'disable it'].filter(Boolean);
      return change<ClusterUndo, Data>({
        summary: `PostgreSQL ${now.version} on port ${port}: ${words.join(' and ')}`,
        // What is in a server that does not run nobody knows: later steps are planned when it does.
        predicts: [now.running ? facts.cluster.becomes({ ...now, enabled: true, start }) : facts.cluster.becomesUnknown()],
        outputs: outputs(server),
        undo: { port, server, created: false, running: now.running, enabled: now.enabled, start: now.start },
        undoSummary: former.join(' and '),
        data: { port, server, create: false, locale: null, start },
      });
    }
    const install = facts.install.value;
    const version = params.version ?? install?.majors.at(-1);
    const isInstalled = install !== undefined && version !== undefined && install.majors.includes(version);
    if (!isInstalled && facts.install.read) {
      const wanted = params.version === undefined ? 'PostgreSQL' : `PostgreSQL ${params.version}`;
      const todo = `Install it first: a package.install step with ${params.version ? `postgresql-${params.version}` : 'postgresql'}.`;
      return blocked(`${host.name} has no ${wanted} server installed`, todo);
    }
    // Not installed yet: what it will be is seen when this step is planned again, right before it is done.
    const server = isInstalled ? newServer(install.family, version, params.name) : null;
    return change<ClusterUndo, Data>({
      summary: `make a PostgreSQL ${server ? `${server.version} ` : ''}cluster on port ${port} and start it`,
      predicts: [facts.cluster.becomesUnknown()],
      outputs: server ? outputs(server) : { version: unknown('major version'), unit: unknown('name of the unit'), port },
      undo: { port, server, created: true, running: false, enabled: false, start: 'manual' },
      undoSummary: 'stop it and keep it',
      data: { port, server, create: true, locale: params.locale ?? null, start: server?.family === 'el' ? null : 'auto' },
    });
  },
  async apply({ on, change: { data } }) {
    const { server, port } = data;
    if (!server) throw new FerryError('INTERNAL', { what: `no server is known for port ${port}` });
    if (data.create) await on.change('create', createCluster(server, port, data.locale));
    await on.change('enable', setStart(server, { enabled: true, start: data.start }));
    await on.change('start', control(server, 'start'));
    await on.change('await', awaitServer(server, port));
  },
  preview: clusterPreview,
  async rollback({ on, undo }) {
    const { server, port } = undo;
    if (!server) return [];
    if (undo.created) {
      const [now] = await readFacts(on, [pgCluster(port).on(on.name)]);
      if (now?.state !== 'value') return [];
      await on.change('stop', control(server, 'stop'));
      // On Debian the service may be there for other clusters; only this one is kept from starting.
      await on.change('disable', setStart(server, { enabled: server.family === 'debian' ? null : false, start: undo.start }));
      return [keptCluster(on.name, port)];
    }
    await on.change('start', undo.running ? control(server, 'start') : control(server, 'stop'));
    await on.change('enable', setStart(server, undo));
    return [];
  },
  examples: [
    { title: 'The cluster on the usual port', with: {} },
    { title: 'A second one with a locale of its own', with: { port: 5433, name: 'engine', locale: 'en_US.UTF-8' } },
  ],
});

function newServer(family: 'debian' | 'el', version: number, name: string): Server {
  if (family === 'el') return { family, version, name: null, unit: 'postgresql.service' };
  return { family, version, name, unit: `postgresql@${version}-${name}.service` };
}
