import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { commandScript } from '../../../src/actions/command/act.ts';
import run from '../../../src/actions/command/run.ts';
import { commandCheck } from '../../../src/facts/command-check.ts';
import { contentOf, fileContent } from '../../../src/facts/file-content.ts';
import { fileStat, somethingThere } from '../../../src/facts/file-stat.ts';
import { Secret } from '../../../src/hosts/secret.ts';
import { factOf, siteOf } from '../../kit/facts.ts';
import { actContext, localHost } from '../../kit/local-host.ts';
import { withFolder } from '../../kit/read-here.ts';

const site = siteOf('one');
const undoable = { undo: 'true' };

function plan(params: object, state: { holds?: boolean; made?: boolean; earlier?: boolean } = {}) {
  const parsed = run.params.parse(params);
  const facts = {
    check:
      typeof parsed.check === 'string'
        ? [factOf(commandCheck(parsed.check, 'root').on('one'), { holds: state.holds ?? false })]
        : [],
    creates: parsed.creates ? [factOf(fileStat(parsed.creates).on('one'), state.made ? somethingThere : undefined)] : [],
    protects: parsed.protects.map((path, index) =>
      factOf(
        fileContent(path).on('one'),
        index === 0 ? contentOf('x', { mode: '0600', owner: 'root', group: 'root' }) : undefined,
      ),
    ),
  };
  const first = plan1(parsed, facts, null);
  return state.earlier && first.kind === 'change' ? plan1(parsed, facts, { undo: first.undo }) : first;
}
const plan1 = (parsed: never | object, facts: object, earlier: object | null) =>
  run.plan(parsed as never, facts as never, { ...site, earlier } as never);

describe('the params of command.run', () => {
  const refused = (params: object) => run.params.safeParse(params).error?.issues[0]?.message;

  test('either argv or shell, and a word about the way back', () => {
    expect(refused({ argv: ['a'], shell: 'b', ...undoable })).toBe('give either argv or shell');
    expect(refused({ ...undoable })).toBe('give either argv or shell');
    expect(refused({ argv: ['a'] })).toMatch(/^say how it is taken back/);
    for (const way of [undoable, { creates: '/x' }, { protects: ['/x'] }, { irreversible: 'mail is sent' }, { readOnly: true }])
      expect(refused({ argv: ['a'], ...way })).toBeUndefined();
    expect(refused({ argv: ['a'], readOnly: true, undo: 'x' })).toMatch(/^a readOnly command changes nothing/);
  });
});

describe('planning command.run', () => {
  test('without a check its line is opaque and has its undo', () => {
    expect(plan({ argv: ['touch', '/x'], creates: '/x', undo: 'echo\nmore', protects: ['/a', '/b'] })).toMatchObject({
      kind: 'change',
      opaque: true,
      summary: 'touch /x',
      undoSummary: 'run: echo; remove /x; put back /a, /b',
      undo: {
        remove: '/x',
        restore: [
          { path: '/a', was: { mode: '0600' } },
          { path: '/b', was: null },
        ],
      },
      keep: [{ name: 'protected-0', path: '/a' }],
    });
  });

  test('a check that holds, or the thing it makes, says that it is done', () => {
    expect(plan({ shell: 'x', check: 'true', ...undoable }, { holds: true })).toMatchObject({ kind: 'no-change' });
    expect(plan({ shell: 'x', creates: '/x' }, { made: true })).toMatchObject({ kind: 'no-change' });
    expect(plan({ shell: 'x', creates: '/x', check: 'false' }, { made: true })).toMatchObject({ kind: 'blocked' });
  });

  test('a secret in a command line is refused by name; on stdin it is welcome', () => {
    const secret = new Secret('hunter2', 'input:p');
    expect(plan({ argv: ['x', secret], ...undoable })).toMatchObject({
      kind: 'blocked',
      summary: expect.stringContaining('argv holds a secret'),
    });
    expect(plan({ shell: secret, ...undoable })).toMatchObject({ kind: 'blocked' });
    expect(plan({ shell: 'x', undo: secret })).toMatchObject({ kind: 'blocked' });
    expect(plan({ shell: 'x', env: { P: secret }, ...undoable })).toMatchObject({ kind: 'blocked' });
    expect(plan({ shell: 'x', stdin: secret, ...undoable })).toMatchObject({ kind: 'change' });
  });

  test('an irreversible command says why; an expression may come to no reason, where there is a way back', () => {
    const reversible = plan({ argv: ['setup'], undo: 'unset', irreversible: '' });
    expect(reversible).toMatchObject({ kind: 'change', undoSummary: 'run: unset' });
    expect(reversible).not.toHaveProperty('irreversible');
    expect(run.params.safeParse({ argv: ['setup'], irreversible: '' }).success).toBe(false);
    expect(plan({ argv: ['mail'], irreversible: 'mail is sent' })).toMatchObject({
      irreversible: 'mail is sent',
      undoSummary: 'nothing: mail is sent',
    });
  });

  test('what a dead attempt left of the thing it makes is removed first', () => {
    const parsed = run.params.parse({ shell: 'x', creates: '/x' });
    const facts = { check: [], creates: [factOf(fileStat('/x').on('one'), somethingThere)], protects: [] };
    expect(plan1(parsed, facts, { undo: {} })).toMatchObject({ kind: 'change', data: { removeFirst: '/x' } });
  });
});

test('an undo of several lines is shown whole, its secrets masked', () => {
  expect(plan({ argv: ['x'], undo: 'x off\nTOKEN=abc y\n' })).toMatchObject({
    undoSummary: 'run: x off',
    undoDiff: [
      [' ', 'x off'],
      [' ', 'TOKEN=[secret]'],
    ],
  });
  expect(plan({ argv: ['x'], undo: 'x off' })).not.toHaveProperty('undoDiff');
});

describe('running commands', () => {
  const acting = (params: object) => {
    const on = localHost();
    const parsed = run.params.parse(params);
    const planned = plan(params);
    return run.apply?.({ ...site, on, onRole: () => on, params: parsed, change: planned as never, ctx: actContext() });
  };

  test('arguments arrive as they are', async () => {
    const argv = ['printf', '%s|', "it's", '$HOME', 'a b', '', 5];
    expect(await acting({ argv, ...undoable })).toEqual({ code: 0, stdout: "it's|$HOME|a b||5|" });
    expect(await acting({ shell: 'printf %s "$V"', env: { V: "a'b" }, ...undoable })).toMatchObject({ stdout: "a'b" });
    expect(commandScript(run.params.parse({ shell: 'a # b', ...undoable })).text).toBe('a # b');
  });

  test('stdin takes a secret, and other exit codes may be fine', async () => {
    expect(await acting({ argv: ['cat'], stdin: new Secret('hunter2', 'input:p'), ...undoable })).toMatchObject({
      stdout: 'hunter2',
    });
    expect(await acting({ shell: 'exit 3', exitCodes: [0, 3], ...undoable })).toMatchObject({ code: 3 });
    await expect(acting({ shell: 'exit 3', ...undoable })).rejects.toMatchObject({ code: 'COMMAND_FAILED' });
  });

  test('a check that fails says what the command said', async () => {
    expect(await acting({ argv: ['echo', 'x'], readOnly: true })).toEqual({ code: 0, stdout: 'x\n' });
    await expect(acting({ shell: 'echo no such thing >&2; exit 1', readOnly: true })).rejects.toMatchObject({
      code: 'CHECK_FAILED',
      args: { why: 'exit code 1: no such thing' },
    });
  });

  test('rollback runs the undo, removes what was made and puts files back', () =>
    withFolder(async (dir) => {
      mkdirSync(`${dir}/made`);
      writeFileSync(`${dir}/protected-0`, 'old');
      writeFileSync(`${dir}/file`, 'new');
      const undo = {
        ...{ script: `touch ${dir}/undone`, as: 'root', remove: `${dir}/made`, irreversible: null, timeoutMs: 1000 },
        restore: [{ path: `${dir}/file`, was: { mode: '0600', owner: 'root', group: 'root' } }],
        isSecret: false,
      };
      const on = localHost();
      await run.rollback?.({ ...site, on, onHost: () => on, undo, ctx: actContext(dir) });
      expect([existsSync(`${dir}/undone`), existsSync(`${dir}/made`), on.ran]).toEqual([
        true,
        false,
        ['undo', 'remove', 'restore-0'],
      ]);
    }));
});
