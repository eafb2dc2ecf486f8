import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  authorizeScript,
  makeKeyScript,
  parsePublicKey,
  placesOf,
  revokeScript,
} from '../../src/actions/file/transfer-scripts.ts';
import { ADD_LINE } from '../../src/hosts/authorized-keys.ts';
import { fenceLeaseScript, releaseLeaseScript } from '../../src/hosts/lease.ts';
import { Sh } from '../../src/hosts/sh.ts';
import { quote } from '../../src/lib/quote.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'ferry-keys-'));
  for (const folder of ['home', 'lib/r-1', 'lib/r-2', 'run', 'bin'])
    mkdirSync(join(root, folder), { recursive: true, mode: 0o700 });
  // The user is whoever runs the test; systemd is none of this.
  for (const name of ['systemctl', 'chown']) writeFileSync(join(root, 'bin', name), '#!/bin/sh\n:\n', { mode: 0o755 });
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const places = (attempt = 1, run = 'r-1', step = 'copy') => placesOf({ run, step, attempt });
const keys = () => join(root, 'home', '.ssh', 'authorized_keys');

/** Runs a script on a machine whose folders are under `root`. */
function run(script: Sh): string {
  const text = script.text
    .replaceAll('/var/lib/ferry', join(root, 'lib'))
    .replaceAll('/run/ferry', join(root, 'run'))
    .replace(/getent passwd \S+ \| cut -d: -f6/, `echo ${join(root, 'home')}`);
  const env = { ...process.env, PATH: `${join(root, 'bin')}:${process.env.PATH}` };
  const { stdout, stderr, status } = spawnSync('sh', ['-c', text], { encoding: 'utf8', env });
  expect([stderr, status]).toEqual(['', 0]);
  return stdout;
}
let made = '';
// Made once: it is the slowest of it all.
const key = () => {
  made ||= parsePublicKey(run(makeKeyScript(places(), { type: 'ssh-ed25519', blob: 'AAAA' }))) ?? '';
  return made;
};
const authorize = (which = places()) => run(authorizeScript(which, 'root', key(), ['192.0.2.1'], join(root, 'file'), []));

describe('the key of a transfer', { timeout: 60_000 }, () => {
  it('opens one thing, from one place, for a day', () => {
    authorize();
    const [, line] = readFileSync(keys(), 'utf8').split('\n');
    expect(line).toMatch(
      /^restrict,from="192\.0\.2\.1",command="\/bin\/sh \S+\/receive",expiry-time="\d{14}" ssh-ed25519 \S+ ferry:r-1:copy:1$/,
    );
    const [, ...digits] = /time="(....)(..)(..)(..)(..)(..)"/.exec(line ?? '')?.map(Number) ?? [];
    const [year = 0, month = 0, day, hour, minute, second] = digits;
    const leftMs = new Date(year, month - 1, day, hour, minute, second).getTime() - Date.now();
    expect(Math.abs(leftMs - 86_400_000)).toBeLessThan(60_000);
    expect([statSync(keys()).mode & 0o777, statSync(join(root, 'home', '.ssh')).mode & 0o777]).toEqual([0o600, 0o700]);
  });

  it.each([
    ['when the run gives the host back', releaseLeaseScript('r-1')],
    ['when the run is given up', fenceLeaseScript('r-1')],
  ])('is gone %s, wherever the transfer died, and nothing else with it', (_, end) => {
    const script = authorizeScript(places(), 'root', key(), ['192.0.2.1'], join(root, 'file'), []);
    const lines = script.text.split('\n');
    const edit = ADD_LINE.text.split('\n');
    const died = [
      ...lines.map((_, index) => lines.slice(0, index + 1).join('\n')).slice(8),
      ...edit.map((_, index) =>
        script.text.replace(quote(ADD_LINE.text), () => quote(`${edit.slice(0, index + 1).join('\n')}\ntrap - EXIT; exit 0`)),
      ),
    ];
    for (const before of [null, '# no line end at its end\nssh-rsa AAAA other']) {
      for (const text of died) {
        rmSync(join(root, 'home', '.ssh'), { recursive: true, force: true });
        if (before !== null) {
          mkdirSync(join(root, 'home', '.ssh'));
          writeFileSync(keys(), before, { mode: 0o640 });
        }
        // A line in the middle of a quoted text is no place to die at: the shell would not have begun.
        if (spawnSync('sh', ['-nc', text]).status !== 0) continue;
        run(new Sh(text));
        run(end);
        const left = existsSync(keys()) ? readFileSync(keys(), 'utf8') : null;
        expect(left?.trimEnd() ?? null, text).toBe(before?.trimEnd() ?? null);
        if (before !== null) expect(statSync(keys()).mode & 0o777).toBe(0o640);
        expect([existsSync(`${keys()}.ferry`), existsSync(join(root, 'run', 'r-1'))]).toEqual([false, false]);
      }
    }
  });

  it('of another run, or another step, stays when one goes', () => {
    authorize();
    authorize(places(1, 'r-2'));
    authorize(places(1, 'r-1', 'copy-more'));
    run(revokeScript(places(), 'root'));
    expect(readFileSync(keys(), 'utf8').match(/ferry:\S+:1$/gm)).toEqual(['ferry:r-2:copy:1', 'ferry:r-1:copy-more:1']);
    run(releaseLeaseScript('r-1'));
    expect(readFileSync(keys(), 'utf8').match(/ferry:\S+:1$/gm)).toEqual(['ferry:r-2:copy:1']);
  });

  it('goes from where a link of the file leads, and the link stays', () => {
    mkdirSync(join(root, 'home', '.ssh'), { mode: 0o700 });
    const file = join(root, 'home', 'keys');
    writeFileSync(file, 'ssh-ed25519 AAAAown me@home\n', { mode: 0o600 });
    symlinkSync(file, keys());
    authorize();
    expect(readFileSync(file, 'utf8').split('\n')).toHaveLength(3);
    run(releaseLeaseScript('r-1'));
    expect([readlinkSync(keys()), readFileSync(file, 'utf8')]).toEqual([file, 'ssh-ed25519 AAAAown me@home\n']);
  });

  it('is taken from the source only when it is one key and nothing else', () => {
    const [type, blob] = key().split(' ') as [string, string];
    expect(parsePublicKey(`${type} ${blob} ferry:r-1:copy:1\n`)).toBe(`${type} ${blob}`);
    for (const printed of [
      '',
      `${type} ${blob}\nssh-ed25519 ${blob} evil`,
      `x\n${type} ${blob}`,
      `command="sh" ${type} ${blob}`,
      `${type}\n${blob}`,
      `${type} ${blob}"`,
      `${type} AAAA`,
      `ssh-rsa ${blob}`,
      `${type} ${blob}\r\nssh-rsa AAAA`,
    ])
      expect(parsePublicKey(printed), printed).toBeUndefined();
  });
});
