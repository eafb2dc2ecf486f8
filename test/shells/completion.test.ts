import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PROJECT } from '../../src/dev/action-files.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'ferry-completion-'));
  mkdirSync(join(folder, 'a folder'));
  writeFileSync(join(folder, 'move.yaml'), '');
  writeFileSync(join(folder, 'my move.yml'), '');
  writeFileSync(join(folder, 'notes.txt'), '');
  writeFileSync(join(folder, 'model.ml'), '');
  writeFileSync(join(folder, 'saved.plan'), '');
  writeFileSync(join(folder, 'inventory.yaml'), 'ferry: 1\nhosts: { db1: {}, db2: {} }\nroles: { new_db: db2 }\n');
  // What a shell finds under the name ferry.
  writeFileSync(join(folder, 'ferry'), `#!/bin/sh\nexec '${process.execPath}' '${join(PROJECT, 'src', 'main.ts')}' "$@"\n`);
  chmodSync(join(folder, 'ferry'), 0o755);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const environment = () => ({
  ...process.env,
  TERM: 'xterm',
  PATH: `${folder}:${process.env.PATH}`,
  FERRY_STATE_DIR: join(folder, 'none'),
});
/** What a report shows of a shell's tests; why, when they are left out. */
const named = (shell: string) => (has(shell) ? shell : `${shell}: left out, it is not installed on this machine`);
const has = (shell: string) => spawnSync(shell, ['--version']).status === 0;

describe('bash', () => {
  /** What bash puts in place of its last word, given the words as it cuts them: at blanks, = and :. */
  function tab(...lines: (readonly string[])[]): string[][] {
    const script = [
      'source <(ferry completion bash)',
      'try() { COMP_LINE=$1; COMP_POINT=${#1}; COMP_WORDS=("${@:3}"); COMP_CWORD=$(($# - 3)); COMPREPLY=();',
      '  _ferry_complete ferry "$2" ""; printf "%s\\n" "${COMPREPLY[@]}"; echo ==; }',
      ...lines.map((words) => `try ${words.map((word) => `'${word}'`).join(' ')}`),
    ];
    const said = execFileSync('bash', ['-c', script.join('\n')], { cwd: folder, env: environment(), encoding: 'utf8' });
    return said
      .split('==\n')
      .slice(0, -1)
      .map((part) =>
        part
          .split('\n')
          .filter((line) => line !== '')
          .sort(),
      );
  }

  it('completes verbs, actions, hosts and runbooks', () => {
    expect(
      tab(
        ['ferry act', 'act', 'ferry', 'act'],
        ['ferry  actions service.sto', 'service.sto', 'ferry', 'actions', 'service.sto'],
        ['ferry unlock ', '', 'ferry', 'unlock', ''],
        ['ferry plan ', '', 'ferry', 'plan', ''],
        ['ferry run sa', 'sa', 'ferry', 'run', 'sa'],
      ),
    ).toEqual([
      ['actions'],
      ['service.stop'],
      ['db1', 'db2'],
      ['a folder', 'inventory.yaml', 'move.yaml', 'my move.yml'],
      ['saved.plan'],
    ]);
  });

  it('completes behind = as well, where bash has cut the word', () => {
    expect(
      tab(
        ['ferry run --on-failure=', '', 'ferry', 'run', '--on-failure', '='],
        ['ferry run move.yaml --role new_db=d', 'd', 'ferry', 'run', 'move.yaml', '--role', 'new_db', '=', 'd'],
        ['ferry plan --inventory=inv', 'inv', 'ferry', 'plan', '--inventory', '=', 'inv'],
      ),
    ).toEqual([['ask', 'pause', 'rollback'], ['db1', 'db2'], ['inventory.yaml']]);
  });

  it('does not run what stands in the line', () => {
    const line = `ferry run $(touch ${folder}/ran) --unt`;
    expect(tab([line, '--unt', 'ferry', 'run', `$(touch ${folder}/ran)`, '--unt'])).toEqual([['--until']]);
    expect(existsSync(join(folder, 'ran'))).toBe(false);
  });
});

describe.skipIf(!has('zsh'))(named('zsh'), () => {
  it('completes verbs, actions, hosts and runbooks, and does not run what stands in the line', () => {
    // A real one in a terminal of its own. What was completed is read back by putting echo before the line, with keys that are
    // Emacs': npm sets EDITOR to vi, and zsh would take its keys.
    const script = String.raw`
zmodload zsh/zpty
zpty terminal zsh -f -i
zpty -w terminal 'PROMPT= RPROMPT= ; unsetopt zle_bracketed_paste; bindkey -e; autoload -U compinit; compinit -u -D; source <(ferry completion zsh); echo READ''Y'
zpty -r terminal said '*READY*'
try() { zpty -w -n terminal "$1"$'\t\001echo \'GOT '; zpty -w terminal $'\005 END\''; zpty -r terminal said $'*\nGOT *END*'; print -r -- "\${\${said##*$'\n'GOT }%%END*}" }
try 'ferry act'
try 'ferry actions service.sto'
try 'ferry unlock db1'
try 'ferry plan mo'
try 'ferry run s'
try 'ferry run --on-failure=ro'
try 'ferry run $(touch ran) --unt'
zpty -w terminal 'exit'
`.replaceAll('\\${', '${');
    const said = execFileSync('zsh', ['-f', '-c', script], {
      cwd: folder,
      env: environment(),
      encoding: 'utf8',
      timeout: 110_000,
    });
    expect(
      said
        .trimEnd()
        .split('\n')
        .map((line) => line.trimEnd()),
    ).toEqual([
      'ferry actions',
      'ferry actions service.stop',
      'ferry unlock db1',
      'ferry plan move.yaml',
      'ferry run saved.plan',
      'ferry run --on-failure=rollback',
      'ferry run $(touch ran) --until',
    ]);
    expect(existsSync(join(folder, 'ran'))).toBe(false);
  });
});

describe.skipIf(!has('fish'))(named('fish'), () => {
  it('completes verbs, actions, hosts and runbooks, and does not run what stands in the line', () => {
    const tab = (...lines: string[]) => {
      const script = ['ferry completion fish | source', ...lines.map((line) => `complete -C '${line}'; echo ==`)].join('\n');
      const said = execFileSync('fish', ['--no-config', '-c', script], { cwd: folder, env: environment(), encoding: 'utf8' });
      return said
        .split('==\n')
        .slice(0, -1)
        .map((part) =>
          part
            .split('\n')
            .filter((line) => line !== '')
            .map((line) => line.split('\t')[0]),
        );
    };
    expect(
      tab(
        'ferry act',
        'ferry actions service.sto',
        'ferry unlock ',
        'ferry plan ',
        'ferry run s',
        'ferry plan --inventory=inv',
        'ferry run --on-failure=ro',
        `ferry run (touch ${folder}/ran) --unt`,
      ),
    ).toEqual([
      ['actions'],
      ['service.stop'],
      ['db1', 'db2'],
      ['a folder/', 'inventory.yaml', 'move.yaml', 'my move.yml'],
      ['saved.plan'],
      ['--inventory=inventory.yaml'],
      ['--on-failure=rollback'],
      ['--until'],
    ]);
    expect(existsSync(join(folder, 'ran'))).toBe(false);
  });
});
