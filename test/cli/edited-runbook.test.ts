import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { EditQuestion, RunIo, RunOptions } from '../../src/cli/contract.ts';
import { wire } from '../../src/cli/wire.ts';
import type { Event } from '../../src/engine/events.ts';
import { modelWire, typed } from '../kit/ferry.ts';
import { PrivateHost } from '../kit/private-host.ts';
import { soon } from '../kit/soon.ts';

const host = new PrivateHost();
const folder = host.dir;
afterAll(() => host.remove());
beforeAll(() => host.start(''));
const file = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};

// Reads files and changes nothing anywhere.
const conf = file('x.conf', 'A=1\nB=2\n');
const inventory = join(folder, 'inventory.yaml');
const look = (id: string, key: string, wanted: string) =>
  `  - { id: ${id}, host: here, uses: config.read, with: { files: [${conf}], expect: { ${key}: "${wanted}" } } }\n`;
const book = (...steps: string[]) =>
  `ferry: 1\nname: look\nroles: { here: { description: this machine } }\nsteps:\n${steps.join('')}`;
const SEEN = '  - checkpoint: seen\n';
const begun = () => book(look('first', 'A', '1'), SEEN, look('second', 'B', '2'));

let count = 0;
let stateDir = '';
let path = '';
let events: Event[] = [];
const options = (more: Partial<RunOptions> = {}): RunOptions => ({
  ...{ inventory, stateDir, inputs: new Map(), secrets: new Map(), roles: new Map(), yes: true, json: false },
  onFailure: 'pause',
  ...more,
});
const io = (more: Partial<RunIo> = {}): RunIo => ({
  emit: (event) => void events.push(event),
  signal: new AbortController().signal,
  ...more,
});
const resume = (more: Partial<RunOptions> = {}, person: Partial<RunIo> = {}) => {
  events = [];
  return wire.resumeRun(undefined, options(more), io(person));
};
const notes = () => events.flatMap((event) => (event.type === 'note' ? [event.text] : []));
const edit = (text: string) => file(`move-${count}.yaml`, text);

describe('a run whose runbook was edited since it began', () => {
  // Stands at its checkpoint, with one step done and one to come.
  beforeEach(async () => {
    count += 1;
    stateDir = join(folder, `state-${count}`);
    path = edit(begun());
    expect(await wire.runRunbook(path, options({ until: 'seen' }), io())).toMatchObject({ outcome: 'paused', exit: 0 });
  });

  it('goes on with what it began with when nobody says otherwise, and warns of what is another', async () => {
    edit(book(look('first', 'A', '1'), SEEN, look('second', 'A', '1')));
    expect(await resume()).toMatchObject({ outcome: 'finished', exit: 0 });
    expect(notes()[0]).toMatch(
      /^warning .* \(step changed: second\); the run goes on with the text it began with\. .*--runbook redo$/,
    );
  });

  it('goes on with the edited one when asked to, which is on record', async () => {
    edit(book(look('first', 'A', '1'), SEEN, look('second', 'A', '1'), look('third', 'A', '1')));
    expect(await resume({ runbook: 'redo' })).toMatchObject({ outcome: 'finished', exit: 0 });
    expect(events.find(({ type }) => type === 'run.revised')).toMatchObject({
      changes: [
        {
          name: 'second',
          fields: [
            { field: 'with.expect.B', before: '"2"', after: null },
            { field: 'with.expect.A', before: null, after: '"1"' },
          ],
        },
        { name: 'third', how: 'added' },
      ],
    });
    const state = await wire.readState(undefined, options());
    expect([...state.steps.keys()]).toEqual(['first', 'second', 'third']);
    expect(state.sources[0]?.text).toContain('third');
  });

  it('says nothing of a text nobody touched, and little of one that means the same', async () => {
    await resume({ until: 'seen' });
    expect(notes()).toEqual([]);
    edit(`# looked at\n${begun()}`);
    await resume({ until: 'seen' });
    expect(notes()).toEqual([expect.stringContaining('was edited and means the same')]);
  });

  it('goes on with what it began with when the file is gone, broken, or does not fit the inventory; redo refuses those', async () => {
    rmSync(path);
    await resume({ until: 'seen' });
    expect(notes()).toEqual([expect.stringContaining('cannot be read any more')]);
    edit('ferry: 1\nsteps: nothing\n');
    await resume({ until: 'seen' });
    expect(notes()).toEqual([expect.stringContaining('has errors now (ferry validate)')]);
    await expect(resume({ runbook: 'redo' })).rejects.toMatchObject({ code: 'RUNBOOK_INVALID' });
    edit(begun().replace('roles: {', 'roles: { elsewhere: {},'));
    await resume({ until: 'seen' });
    expect(notes()).toEqual([expect.stringContaining('does not fit the inventory')]);
    await expect(resume({ runbook: 'redo' })).rejects.toMatchObject({ code: 'INVENTORY_INVALID' });
  });

  it('takes a new secret from the command line, and a new input only with a default', async () => {
    const inputs = (text: string) => begun().replace('roles:', `inputs: { ${text} }\nroles:`);
    edit(inputs('word: { type: secret }'));
    const secrets = new Map([['word', `file:${file('word', 'hunter2\n')}`]]);
    chmodSync(join(folder, 'word'), 0o600);
    expect(await resume({ runbook: 'redo', until: 'seen', secrets })).toMatchObject({ outcome: 'paused' });
    const state = await wire.readState(undefined, options());
    expect(Object.keys(state.secrets)).toEqual(['word']);
    expect(JSON.stringify(wire.readLog(undefined, options()))).not.toContain('hunter2');
    edit(inputs('word: { type: secret }, mode: { type: string }'));
    await expect(resume({ runbook: 'redo', until: 'seen' })).rejects.toMatchObject({ code: 'INPUTS_INVALID' });
    edit(inputs('word: { type: secret }, mode: { type: string, default: a }'));
    expect(await resume({ runbook: 'redo' })).toMatchObject({ outcome: 'finished' });
  });

  it('refuses an edit of what was done, and names the way to before it', async () => {
    edit(book(look('first', 'B', '2'), SEEN, look('second', 'B', '2')));
    await expect(resume({ runbook: 'redo' })).rejects.toMatchObject({
      code: 'EDIT_TOO_LATE',
      args: { steps: 'first (changed)', to: '' },
    });
    expect(events.some(({ type }) => type === 'run.revised')).toBe(false);
  });

  it('asks a person, and goes back to before the edit when they say so', async () => {
    edit(book(look('first', 'A', '1'), SEEN, look('second', 'A', '1')));
    const asked: EditQuestion[] = [];
    const person = (answer: 'keep' | 'redo' | 'back') => ({
      askEdit: async (question: EditQuestion) => {
        asked.push(question);
        return answer;
      },
    });
    expect(await resume({ until: 'seen' }, person('keep'))).toMatchObject({ outcome: 'paused' });
    expect(asked[0]).toMatchObject({ path, begun: [], changes: [{ name: 'second' }] });
    const no = { ...person('redo'), confirmPlan: async () => false };
    expect(await resume({}, no)).toMatchObject({ outcome: 'refused', exit: 5 });
    expect(await resume({}, person('redo'))).toMatchObject({ outcome: 'finished' });
    const late = { ...person('back') };
    count += 1;
    stateDir = join(folder, `state-${count}`);
    path = edit(begun());
    await wire.runRunbook(path, options({ until: 'seen' }), io());
    edit(book(look('early', 'A', '1'), look('first', 'A', '1'), SEEN, look('second', 'B', '2')));
    expect(await resume({}, late)).toMatchObject({ outcome: 'rolled-back', exit: 4 });
    expect(asked.at(-1)).toMatchObject({
      begun: [{ step: 'first', why: 'it would come after early, which was not done' }],
      back: null,
    });
  });
});

describe('a run that is resumed with another host for a role', () => {
  const there = new PrivateHost();
  const both = join(folder, 'both.yaml');
  afterAll(() => there.remove());
  beforeAll(async () => {
    await there.start('');
    const read = (name: string, of: string) => readFileSync(join(of, name), 'utf8');
    const [ours, theirs] = [folder, there.dir].map((of) => JSON.parse(read('inventory.yaml', of)));
    const knownHosts = file('known_both', read('known_hosts', folder) + read('known_hosts', there.dir));
    writeFileSync(both, JSON.stringify({ ...ours, knownHosts, hosts: { ...ours.hosts, there: theirs.hosts.here } }));
  });
  const { username } = userInfo();
  const group = execFileSync('id', ['-gn'], { encoding: 'utf8' }).trim();
  const put = () => join(folder, `put-${count}`);
  const putting = (content: string) =>
    `  - { id: put, host: two, uses: file.put, with: { path: ${put()}, content: ${content}, owner: ${username}, group: ${group} } }\n`;
  const text = (content = 'x') => book(look('first', 'A', '1'), SEEN, putting(content)).replace('roles: {', 'roles: { two: {},');
  const go = (more: Partial<RunOptions> = {}) => resume({ inventory: both, ...more });
  const lease = (dir: string) => existsSync(join(dir, 'ferry', 'lease'));
  beforeEach(async () => {
    count += 1;
    stateDir = join(folder, `state-${count}`);
    path = edit(text());
    const roles = new Map([['two', ['there']]]);
    const end = await wire.runRunbook(path, options({ until: 'seen', inventory: both, roles }), io());
    expect(end).toMatchObject({ outcome: 'paused', exit: 0 });
  });

  it('is refused where no edit is taken, and goes on with the same one', async () => {
    const roles = new Map([['two', ['here']]]);
    const wrong = {
      code: 'USAGE_WRONG',
      message: expect.stringContaining('goes on with the hosts it began with (two is there)'),
    };
    await expect(go({ roles })).rejects.toMatchObject(wrong);
    await expect(go({ roles, runbook: 'redo' })).rejects.toMatchObject(wrong);
    edit(text('y'));
    await expect(go({ roles, runbook: 'keep' })).rejects.toMatchObject(wrong);
    expect(await go({ roles: new Map([['two', ['there']]]) })).toMatchObject({ outcome: 'finished' });
  });

  it('is refused where a step was begun on it', async () => {
    edit(text('y'));
    await expect(go({ roles: new Map([['here', ['there']]]), runbook: 'redo' })).rejects.toMatchObject({
      code: 'EDIT_TOO_LATE',
      args: { steps: 'first (its role here was here, and would be there)' },
    });
    expect(await go()).toMatchObject({ outcome: 'finished' });
  });

  it('goes on there with an edit, and gives back the host it had before', async () => {
    edit(text('y'));
    expect([lease(there.dir), lease(folder)]).toEqual([true, false]);
    const roles = new Map([['two', ['here']]]);
    expect(await go({ roles, runbook: 'redo', until: 'seen' })).toMatchObject({ outcome: 'paused' });
    expect(await go()).toMatchObject({ outcome: 'finished' });
    expect(readFileSync(put(), 'utf8')).toBe('y');
    expect([lease(there.dir), lease(folder)]).toEqual([false, false]);
  });
});

describe('the question what becomes of an edit', () => {
  const question: EditQuestion = {
    path: 'move.yaml',
    changes: [{ what: 'step', name: 'dump', how: 'changed', fields: [{ field: 'with.path', before: '"/a"', after: null }] }],
    begun: [],
    back: 'quiesced',
  };
  const answer = async (keys: string, asked = question, words = 'resume') => {
    const answers: unknown[] = [];
    const ferry = typed(words, {
      ...modelWire(undefined, {
        async resumeRun(_run, _options, person) {
          answers.push(person.askEdit ? await person.askEdit(asked) : 'not asked');
          return { outcome: 'paused', run: 'r-1', error: null, exit: 3 };
        },
      }),
      terminal: true,
    });
    if (keys !== '') {
      await soon(() => expect(ferry.err.text()).toMatch(/\? $/));
      ferry.type(`${keys}\n`);
    }
    await ferry.exit;
    return { answer: answers[0], text: ferry.err.text() };
  };

  it('shows what the edit means, and offers to take it or not', async () => {
    const { answer: given, text } = await answer('r');
    expect(given).toBe('redo');
    expect(text).toContain('  ~ step dump changed\n      with.path: "/a" -> none\n');
    expect((await answer('k')).answer).toBe('keep');
    expect((await answer(' ')).answer).toBe('keep');
  });

  it('offers the way back instead where the edit comes too late', async () => {
    const late = { ...question, begun: [{ step: 'stop', why: 'changed' }] };
    const { answer: given, text } = await answer('b', late);
    expect(given).toBe('back');
    expect(text).toContain('the edit comes too late for stop, changed');
    expect(text).toContain('back to checkpoint quiesced, and on from there with the edited one');
  });

  it('is not put with --yes or --json', async () => {
    expect((await answer('', question, 'resume --yes')).answer).toBe('not asked');
    expect((await answer('', question, 'resume --json')).answer).toBe('not asked');
  });
});
