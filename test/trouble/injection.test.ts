import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { findMachines } from '../../lab/find-machines.ts';
import { labReset } from '../../lab/lab.ts';
import { reveal, Secret } from '../../src/hosts/secret.ts';
import { everyAction } from '../kit/every-action.ts';
import { HOSTILE, MARK, type SpoiltScript, spoiltScripts } from '../kit/spoilt-scripts.ts';
import { on } from '../kit/trouble.ts';

// What test/actions/injection.test.ts does in a box, done for real as root: real psql, pg_dump, systemd, apt and their kin read it.
const HOST = 'engine';
const FOLDER = '/var/tmp/spoilt';
// Where postgres can make it too.
const CANARY = '/var/tmp/canary';
const labDir = inject('labDir');
// The box has all actions each time; npm test has a third of them here, by chance.
const isWhole = Boolean(process.env.FERRY_EVERY_FAULT);
const seed = Number(process.env.FERRY_SEED ?? process.hrtime.bigint() % 3n);
const actions = (await everyAction()).filter((_, index) => isWhole || index % 3 === seed % 3);
let ran = 0;
let broken = 0;

const bytesOf = (given: string | Uint8Array | Secret) => (given instanceof Secret ? reveal(given) : given);

/** Runs scripts as Ferry would, four at a time, and tells after which groups of them the canary was there. */
async function run(scripts: readonly SpoiltScript[]): Promise<SpoiltScript[]> {
  const machine = findMachines(labDir).find(({ host }) => host === HOST);
  const folder = join('/proc', String(machine?.init), 'root', FOLDER);
  rmSync(folder, { recursive: true, force: true });
  for (const [index, { text, stdin = '', secrets = {} }] of scripts.entries()) {
    const own = join(folder, String(index));
    mkdirSync(own, { recursive: true });
    writeFileSync(join(own, 'script'), text);
    writeFileSync(join(own, 'stdin'), bytesOf(stdin));
    for (const [name, secret] of Object.entries(secrets)) writeFileSync(join(own, name), bytesOf(secret));
  }
  const said = await on(
    labDir,
    HOST,
    `rm -f ${CANARY}; cd ${FOLDER} && ls | xargs -P4 -I{} sh -c '
export FERRY_SECRETS=${FOLDER}/{} FERRY_KEEP=${FOLDER}/{} FERRY_ATTEMPT=${FOLDER}/{}
cd / && timeout -s KILL 5 sh ${FOLDER}/{}/script <${FOLDER}/{}/stdin >/dev/null 2>&1; :'
ls ${CANARY} 2>/dev/null; :`,
  );
  if (said === '') return [];
  if (scripts.length === 1) return [...scripts];
  const half = scripts.length >> 1;
  return [...(await run(scripts.slice(0, half))), ...(await run(scripts.slice(half)))];
}

/** What some of them do is real: the database may be stopped, or hold settings with which it does not start. */
const mend = () =>
  on(
    labDir,
    HOST,
    `command -v pg_lsclusters >/dev/null && { pg_isready -q || systemctl restart postgresql@15-main || {
rm -f /var/lib/postgresql/15/main/postgresql.auto.conf; systemctl restart postgresql@15-main; }; }; pg_isready`,
  );

describe('text that would like to be more than text, on a real host', () => {
  beforeAll(async () => {
    await on(labDir, HOST, `printf '#!/bin/sh\\n: >${CANARY}\\n' >/usr/local/bin/mkcanary && chmod 755 /usr/local/bin/mkcanary`);
  });
  afterAll(() => labReset({ dir: labDir, hosts: [HOST], say: () => undefined }));

  const expectGuilty = async () => {
    const hostile = HOSTILE['an end of a command'] ?? '';
    const [shell, inPsql] = [`x ${hostile}`, 'runuser -u postgres -- psql -qX'].map((text) => ({ text, what: 'a control' }));
    expect(await run([{ text: ': fine', what: 'a control' }, shell as SpoiltScript])).toEqual([shell]);
    const meta = { ...(inPsql as SpoiltScript), stdin: '\\! /usr/local/bin/mkcanary\n' };
    expect(await run([meta])).toEqual([meta]);
  };

  it('is more where nothing quotes it', expectGuilty);

  it.each(actions.map(({ name, action, params }) => [name, action, params] as const))(
    'is text to %s',
    async (_, action, given) => {
      await mend();
      const { scripts } = await spoiltScripts(action, given, '127.0.0.1');
      const guilty = await run(scripts);
      ran += scripts.length;
      broken += guilty.length;
      expect(guilty).toEqual([]);
    },
  );

  it('was put to the host, which would still have shown it', async () => {
    await mend();
    await expectGuilty();
    expect(ran).toBeGreaterThan(isWhole ? 900 : 200);
    process.stdout.write(
      `injection on a real host${isWhole ? '' : ` (a third, FERRY_SEED=${seed}; npm run test:crash does all)`}: ${actions.length} actions, ${ran} scripts with hostile text (${MARK}), ${broken} of them ran a piece of it\n`,
    );
  });
});
