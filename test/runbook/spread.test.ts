import { describe, expect, it } from 'vitest';
import { loadRunbook } from '../../src/runbook/load.ts';
import type { Runbook } from '../../src/runbook/runbook.ts';
import { gatherRoles, spreadRunbook } from '../../src/runbook/spread.ts';

async function load(text: string): Promise<Runbook> {
  const loaded = await loadRunbook('r.yaml', { readFile: async () => `ferry: 1\nname: r\n${text}`, lint: false });
  if ('diagnostics' in loaded) throw new Error(loaded.diagnostics.map(({ message }) => message).join('\n'));
  return loaded.runbook;
}

const HOSTS = new Map([
  ['workers', ['w1', 'w2']],
  ['db', ['d1']],
]);
const look = (id: string, more: string) => `  - { id: ${id}, uses: service.read, with: { units: [a.service] }, ${more} }\n`;
const ROLES = 'roles: { workers: { many: true }, db: }\n';

/** `id@role<needs` of each step, and what waits for it on the way back where that is something else. */
async function shapeOf(steps: string, hosts: ReadonlyMap<string, readonly string[]> = HOSTS): Promise<string[]> {
  const { runbook } = spreadRunbook(await load(`${ROLES}steps:\n${steps}`), hosts);
  return runbook.steps.map(
    ({ id, role, needs, undoNeeds }) =>
      `${id} on ${role}${needs.length > 0 ? ` after ${needs.join(', ')}` : ''}${undoNeeds ? `, undone before ${undoNeeds.join(', ')}` : ''}`,
  );
}

describe('a step on a role of many hosts', () => {
  it('becomes one for each host, and who needs it needs all of them', async () => {
    expect(await shapeOf(look('first', 'host: db') + look('stop', 'host: workers') + look('last', 'host: db'))).toEqual([
      'first on db',
      'stop@w1 on workers@w1 after first',
      'stop@w2 on workers@w2 after first',
      'last on db after stop@w1, stop@w2',
    ]);
  });

  it('waits for the one before it on all hosts', async () => {
    expect(await shapeOf(look('stop', 'host: workers') + look('see', 'host: workers'))).toEqual([
      'stop@w1 on workers@w1',
      'stop@w2 on workers@w2',
      'see@w1 on workers@w1 after stop@w1, stop@w2',
      'see@w2 on workers@w2 after stop@w1, stop@w2',
    ]);
  });

  it('goes back by itself on each host where the runbook says so, as far as its own role goes', async () => {
    const steps =
      look('first', 'host: db') +
      look('stop', 'host: workers, needs: []') +
      look('see', 'host: workers, needs: [stop, first], fanOut: { undo: host }');
    expect((await shapeOf(steps)).slice(3)).toEqual([
      'see@w1 on workers@w1 after stop@w1, stop@w2, first, undone before stop@w1, first',
      'see@w2 on workers@w2 after stop@w1, stop@w2, first, undone before stop@w2, first',
    ]);
  });

  it('moves the checkpoints with it', async () => {
    const book = await load(
      `${ROLES}steps:\n${look('stop', 'host: workers')}  - checkpoint: quiet\n${look('see', 'host: db')}  - checkpoint: seen\n`,
    );
    const { runbook } = spreadRunbook(book, HOSTS);
    expect(runbook.checkpoints.map(({ name, afterStep }) => [name, afterStep])).toEqual([
      ['quiet', 2],
      ['seen', 3],
    ]);
  });

  it('is one step on a role with one host, and none of it is left for a role of one', async () => {
    const one = new Map([...HOSTS, ['workers', ['w2']]]);
    expect(await shapeOf(look('stop', 'host: workers') + look('see', 'host: db'), one)).toEqual([
      'stop@w2 on workers@w2',
      'see on db after stop@w2',
    ]);
    const book = await load(`roles: { db: }\nsteps:\n${look('see', 'host: db')}`);
    expect(spreadRunbook(book, HOSTS).runbook).toBe(book);
  });

  it('asks a question once, and checks under done on each host', async () => {
    const ask = '  - { id: sure, host: workers, uses: gate.confirm, with: { question: "Sure?" } }\n';
    expect(await shapeOf(ask + look('stop', 'host: workers'))).toEqual([
      'sure on workers@w1',
      'stop@w1 on workers@w1 after sure',
      'stop@w2 on workers@w2 after sure',
    ]);
    const book = await load(
      `${ROLES}done:\n  - { host: workers, uses: config.read, with: { files: [/a], expect: { A: "1" } } }\nsteps:\n${look('see', 'host: db')}`,
    );
    expect(spreadRunbook(book, HOSTS).runbook.done.map(({ id }) => id)).toEqual(['done-1@w1', 'done-1@w2']);
  });

  it('keeps how many of its parts may be under way at once', async () => {
    const book = await load(`${ROLES}steps:\n${look('stop', 'host: workers, fanOut: { concurrency: 1 }')}`);
    expect(spreadRunbook(book, HOSTS).runbook.steps.map(({ part }) => part)).toEqual([
      { of: 'stop', concurrency: 1 },
      { of: 'stop', concurrency: 1 },
    ]);
  });
});

describe('the roles of a plan', () => {
  it('give back the hosts they were made of, in their order', async () => {
    const { roles } = spreadRunbook(await load(`${ROLES}steps:\n${look('stop', 'host: workers')}`), HOSTS);
    expect(Object.fromEntries(roles)).toEqual({ 'workers@w1': 'w1', 'workers@w2': 'w2', db: 'd1' });
    expect(gatherRoles(Object.fromEntries(roles))).toEqual(HOSTS);
    expect(gatherRoles({ engine: 'e1' })).toEqual(new Map([['engine', ['e1']]]));
  });
});
