import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import answer from '../../../src/actions/prompt/answer.ts';
import { Dialogue, type PromptAnswer } from '../../../src/actions/prompt/dialogue.ts';
import { contentOf, fileContent } from '../../../src/facts/file-content.ts';
import { fileStat } from '../../../src/facts/file-stat.ts';
import type { ActingHost, Heard } from '../../../src/hosts/host.ts';
import { Secret } from '../../../src/hosts/secret.ts';
import { randomToken } from '../../../src/lib/random.ts';
import { factOf, siteOf } from '../../kit/facts.ts';
import { fleetHere } from '../../kit/fleet-here.ts';
import { actContext } from '../../kit/local-host.ts';

const secret = new Secret('hunter2', 'input:p');
const give = (expected: string, send: string | Secret = 'x', more: Partial<PromptAnswer> = {}): PromptAnswer => ({
  ...{ expect: expected, send, optional: false, repeat: false },
  ...more,
});
const dialogue = (...answers: PromptAnswer[]) =>
  new Dialogue(answers, { program: 'wizard', host: 'dwh', questionMs: 5000, silenceMs: 60_000, timeoutMs: 600_000 });
const heard = (said: string, more: Partial<Heard> = {}): Heard => ({
  said,
  quietMs: 200,
  tookMs: 1000,
  hasPaused: true,
  ...more,
});

describe('what to type', () => {
  test('the first answer that fits, each once, in whatever order is asked', () => {
    const one = dialogue(give('Name: $', 'bob'), give('.*: $', 'any'), give('Sure\\? ', 'yes', { repeat: true }));
    expect(one.reply(heard('hello\nWord: '))).toBe('any');
    expect(one.reply(heard('Sure? '))).toBe('yes');
    expect(one.reply(heard('Sure? '))).toBe('yes');
    expect(one.reply(heard('Name: '))).toBe('bob');
    expect(one.reply(heard('Name: '))).toBeNull();
  });

  test('nothing while a program prints, nor for what stands above the last line', () => {
    const one = dialogue(give('Host name', 'db'), give('Go on\\n', ''));
    expect(one.reply(heard('Host name', { hasPaused: false, quietMs: 10 }))).toBeNull();
    expect(one.reply(heard('Host name is looked up\nworking'))).toBeNull();
    expect(one.reply(heard('Go on\nworking'))).toBeNull();
    expect(one.reply(heard('Press Enter.\nGo on\n'))).toBe('');
    expect(one.reply(heard('Host name is looked up\nHost name: '))).toBe('db');
  });

  test('an unexpected question is refused, shown, with what was answered before', () => {
    const one = dialogue(give('Name: $', 'bob'), give('Word: $', secret));
    one.reply(heard('Name: '));
    one.reply(heard('Word: '));
    const asked = 'An existing DWH was found.\nDisconnect it? (Yes, No) [No]: ';
    expect(one.reply(heard(asked, { quietMs: 4999 }))).toBeNull();
    expect(() => one.reply(heard(asked, { quietMs: 5000 }))).toThrow(
      expect.objectContaining({
        code: 'PROMPT_UNEXPECTED',
        args: expect.objectContaining({
          question: asked.trim(),
          why: 'no pattern fits it',
          answered: '2 questions ("Name:" with "bob"; "Word:" with [secret])',
        }),
      }),
    );
  });

  test('a question that comes back means that its answer was not accepted', () => {
    const one = dialogue(give('Name: $', 'bob'));
    one.reply(heard('Name: '));
    expect(() => one.reply(heard('bad name\nName: ', { quietMs: 5000 }))).toThrow(/asked again, it was not accepted/);
  });

  test('silence without a question is work, up to a limit of its own', () => {
    const working = dialogue();
    for (const said of ['', 'Installing packages ... ', 'Stage: Misc configuration\n'])
      expect(working.reply(heard(said, { quietMs: 59_999 }))).toBeNull();
    expect(() => working.reply(heard('Installing ... ', { quietMs: 60_000 }))).toThrow(/has printed nothing for 1 min/);
    expect(() => working.reply(heard('x\n', { tookMs: 600_000, hasPaused: false }))).toThrow(
      expect.objectContaining({ code: 'PROMPT_TIMEOUT' }),
    );
  });

  test('a program that never asks what it should did something else; one nobody listened to is no such', () => {
    const one = dialogue(give('Name: '), give('Maybe: ', '', { optional: true }));
    expect(() => one.refuseMissing(0)).not.toThrow();
    one.reply(heard('done\n'));
    expect(() => one.refuseMissing(0)).toThrow(expect.objectContaining({ code: 'PROMPT_NOT_ASKED' }));
    one.reply(heard('Name: '));
    expect(() => one.refuseMissing(0)).not.toThrow();
  });
});

const folder = mkdtempSync(join(tmpdir(), 'ferry-prompt-'));
const fleet = fleetHere(folder);
const RUN = `r-here-${randomToken(4)}`;
const conf = join(folder, 'wizard.conf');
const site = siteOf('here');
const owner = { mode: '0644', owner: 'root', group: 'root' };
// Spoils its conf file at once, and writes it in full only at its end.
const WIZARD = `echo half >${conf}; printf 'Name: '; read -r n; printf 'Password: '; read -r p
[ -e ${folder}/odd ] && { printf 'Overwrite the world? [y/n] '; read -r x; }
echo "$n $p" >${conf}; touch ${folder}/made`;

function planOf(params: object, earlier: object | null = null, isMade = false) {
  const parsed = answer.params.parse(params);
  const facts = {
    check: [],
    creates: parsed.creates
      ? [factOf(fileStat(parsed.creates).on('here'), isMade ? ({ type: 'file' } as never) : undefined)]
      : [],
    protects: parsed.protects.map((path) => factOf(fileContent(path).on('here'), contentOf('old\n', owner))),
  };
  return { parsed, planned: answer.plan(parsed, facts as never, { ...site, earlier } as never) };
}

const given = {
  shell: WIZARD,
  answers: [
    { expect: 'Name: $', send: 'bob' },
    { expect: 'Password: $', send: secret },
  ],
  ...{ protects: [conf], creates: join(folder, 'made'), unexpectedAfter: '1s', summary: 'wizard' },
};

let count = 0;
/** The hosts and folders of one attempt, as the engine hands them to an action. */
async function acting(more: object = {}, earlier: object | null = null, isMade = false) {
  count += 1;
  const id = { run: RUN, step: 'ask', attempt: count, epoch: 1, undo: false };
  await fleet.openAttempt('here', id, '{}');
  const { parsed, planned } = planOf({ ...given, ...more }, earlier, isMade);
  if (planned.kind !== 'change') throw new Error(planned.summary);
  const cancel = new AbortController();
  const on: ActingHost = fleet.acting('here', id, cancel.signal, () => undefined);
  const ctx = actContext(folder);
  return {
    id,
    planned,
    cancel,
    work: () => answer.apply?.({ ...site, on, onRole: () => on, params: parsed, change: planned, ctx }),
  };
}

describe('planning prompt.answer', () => {
  test('shows its answers, secrets masked, and what undo puts back', () => {
    expect(planOf(given).planned).toMatchObject({
      ...{ kind: 'change', opaque: true, summary: 'wizard', undoSummary: `remove ${folder}/made; put back ${conf}` },
      diff: [
        [' ', '/Name: $/ -> "bob"'],
        [' ', '/Password: $/ -> [secret]'],
      ],
      data: { removeFirst: null, restoreFirst: [] },
    });
    expect(JSON.stringify(planOf(given).planned)).not.toContain('hunter2');
  });

  test('an answer that no terminal takes, and one in the command line, is refused', () => {
    for (const send of ['two\nlines', 'x\u0003', 'x'.repeat(4001), new Secret('a\tb', 'input:p')])
      expect(planOf({ ...given, answers: [{ expect: 'x', send }] }).planned).toMatchObject({ kind: 'blocked' });
    expect(planOf({ ...given, shell: undefined, argv: ['wizard', secret] }).planned).toMatchObject({ kind: 'blocked' });
    const refused = (params: object) => answer.params.safeParse({ ...given, ...params }).error?.issues[0]?.message;
    expect(refused({ answers: [{ expect: '(', send: '' }] })).toBe('write a regular expression');
    expect(refused({ argv: ['x'] })).toBe('give either argv or shell');
    expect(refused({ protects: [], creates: undefined })).toMatch(/^say how it is taken back/);
  });
});

describe.runIf(process.platform === 'linux' && process.getuid?.() === 0)('a real program', { timeout: 60_000 }, () => {
  beforeAll(async () => {
    await fleet.takeLease('here', { run: RUN, holder: 'test@here', since: '2026-01-01T00:00:00Z' }, 1);
    writeFileSync(conf, 'old\n');
    writeFileSync(join(folder, 'protected-0'), 'old\n', { mode: 0o644 });
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const begin = () => {
    writeFileSync(conf, 'old\n');
    for (const name of ['made', 'odd']) rmSync(join(folder, name), { force: true });
  };

  test('is answered, and its secret stands in no file that Ferry leaves', async () => {
    begin();
    const { work } = await acting();
    expect(await work()).toEqual({ code: 0 });
    expect(readFileSync(conf, 'utf8')).toBe('bob hunter2\n');
    const { stdout } = await fleet
      .host('here')
      .run(new (await import('../../../src/hosts/sh.ts')).Sh(`grep -rl hunter2 ${folder}/lib; :`));
    expect(stdout).toBe('');
  });

  test('that asks something else is ended in the middle, and asked anew on the files of before', async () => {
    begin();
    writeFileSync(join(folder, 'odd'), '');
    const first = await acting();
    await expect(first.work()).rejects.toMatchObject({
      code: 'PROMPT_UNEXPECTED',
      args: { program: 'wizard', question: 'Overwrite the world? [y/n]', answered: expect.stringContaining('[secret]') },
    });
    expect(readFileSync(conf, 'utf8')).toBe('half\n');
    expect(existsSync(join(folder, 'made'))).toBe(false);
    expect(await fleet.effects('here', first.id)).toMatchObject([{ name: 'ask', state: 'lost', why: 'Ferry ended it' }]);

    const seen = join(folder, 'seen');
    const again = await acting(
      { shell: `cp ${conf} ${seen}; ${WIZARD}`, answers: [...given.answers, { expect: 'world', send: 'n' }] },
      { undo: first.planned.undo },
    );
    expect(again.planned).toMatchObject({ data: { restoreFirst: [{ path: conf }] } });
    await again.work();
    expect(readFileSync(seen, 'utf8')).toBe('old\n');
    expect(readFileSync(conf, 'utf8')).toBe('bob hunter2\n');
  });

  test('that died with its controller is not running when it is asked anew', async () => {
    begin();
    const first = await acting({
      shell: `echo half >${conf}; echo $$ >${folder}/pid; trap '' HUP TERM; printf 'Name: '; sleep 300`,
      answers: [],
      unexpectedAfter: '1h',
    });
    const work = first.work();
    const lost = expect(work).rejects.toMatchObject({ code: 'COMMAND_LOST' });
    await vi.waitFor(() => expect(existsSync(`${folder}/pid`)).toBe(true), { timeout: 20_000 });
    // What a resumed run does before a new attempt.
    await fleet.endDetached('here', first.id);
    expect(existsSync(`/proc/${readFileSync(`${folder}/pid`, 'utf8').trim()}`)).toBe(false);
    await lost;
  });
});
