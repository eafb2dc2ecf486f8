import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it, vi } from 'vitest';
import { cutNetwork, execOn, restoreNetwork } from '../../lab/lab.ts';
import { FerryOnLab } from '../kit/ferry-on-lab.ts';

const labDir = inject('labDir');
const folder = mkdtempSync(join(tmpdir(), 'ferry-asking-'));
const runbook = join(folder, 'asking.yaml');
const WAIT = { timeout: 30_000, interval: 200 };
let ferry: FerryOnLab;

// It spoils its conf file at once and ignores being hung up, so that its death is Ferry's work; `lock` tells of two at a time.
const WIZARD = `#!/bin/sh
exec 5>>/srv/wizard/lock; flock -n 5 || echo two >/srv/wizard/two
cat /srv/wizard/conf >>/srv/wizard/found; echo half >/srv/wizard/conf
trap '' HUP
printf 'Name: '; read -r name
if [ -e /srv/wizard/hang ]; then touch /srv/wizard/asked; printf 'Never answered: '; while :; do read -r x || sleep 0.2; done; fi
printf 'Password: '; read -r word
echo "$name $word" >/srv/wizard/conf; touch /srv/wizard/done
`;
const RUNBOOK = `
ferry: 1
name: asking
title: Answer a program
inputs: { word: { type: secret, description: Its password } }
roles: { newdb: { description: The machine } }
steps:
  - id: ask
    host: newdb
    uses: prompt.answer
    with:
      argv: [/srv/wizard/run]
      answers:
        - { expect: 'Name: $', send: bob }
        - { expect: 'Password: $', send: "\${{ inputs.word }}" }
      protects: [/srv/wizard/conf]
      check: test -e /srv/wizard/done
      undo: rm -f /srv/wizard/done
      unexpectedAfter: 5m
`;
const on = async (script: string) => (await execOn(labDir, 'newdb', script)).stdout.trim();
const running = () => on('pgrep -fx "/bin/sh /srv/wizard/run" | wc -l');
const words = () => [...ferry.hosts, '--secret', 'word=env:WORD', '--json'];
const asking = () => vi.waitFor(async () => expect(await on('ls /srv/wizard')).toContain('asked'), WAIT);

beforeAll(() => writeFileSync(runbook, RUNBOOK));
beforeEach(async () => {
  ferry = new FerryOnLab(labDir, { WORD: 'hunter2-canary' });
  await on(`rm -rf /srv/wizard; mkdir /srv/wizard; echo old >/srv/wizard/conf; touch /srv/wizard/hang
cat >/srv/wizard/run <<'EOF'
${WIZARD}EOF
chmod +x /srv/wizard/run`);
});
afterEach(async () => {
  const { stderr, code } = await ferry.run(['rollback', ...ferry.hosts]);
  expect(code, stderr).toBe(4);
  // Back at the old bytes, and no secret in what was left on the host, the kept bytes and those of the wizard aside.
  expect(await on('cat /srv/wizard/conf; grep -rl hunter2-canary /var/lib/ferry /run /var/log 2>/dev/null; :')).toBe('old');
  ferry.remove();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What an undisturbed run leaves, though one conversation was cut off in the middle. */
async function isDoneOnce(): Promise<void> {
  expect(await on('cat /srv/wizard/conf')).toBe('bob hunter2-canary');
  // Each time it began it found the bytes of before, and never another one of its kind.
  expect(await on('cat /srv/wizard/found; [ -e /srv/wizard/two ] && echo two at once; :')).toBe('old\nold');
  expect(await running()).toBe('0');
}

describe('a program that asks, cut off from Ferry in the middle', () => {
  it('by a cable that is pulled, is ended once the host is back, told as lost, and asked anew', async () => {
    const run = ferry.start(['run', runbook, ...words()]);
    await asking();
    await cutNetwork(labDir, 'newdb');
    const open = () => execFileSync('ss', ['-Htnp', 'state', 'established'], { encoding: 'utf8' });
    await vi.waitFor(() => expect(open()).not.toContain(`pid=${run.pid},`), WAIT);
    // Ferry has noticed, and nobody there has: the program still stands at its question.
    expect(await running()).toBe('1');
    await restoreNetwork(labDir, 'newdb');
    const { code, stdout } = await run.ended;
    expect(code).toBe(1);
    expect(stdout).toContain('COMMAND_LOST');
    expect(await running()).toBe('0');
    expect(await on('cat /srv/wizard/conf')).toBe('half');
    await on('rm /srv/wizard/hang');
    const resumed = await ferry.run(['resume', ...words()]);
    expect(resumed.code, resumed.stderr).toBe(0);
    await isDoneOnce();
  });

  it('by the death of Ferry, is ended by the one that goes on, and asked anew', async () => {
    const run = ferry.start(['run', runbook, ...words()]);
    await asking();
    await run.kill();
    await on('rm /srv/wizard/hang');
    expect(await running()).toBe('1');
    const resumed = await ferry.run(['resume', ...words()]);
    expect(resumed.code, resumed.stderr + resumed.stdout).toBe(0);
    await isDoneOnce();
  });
});
