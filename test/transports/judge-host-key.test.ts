import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { judgeHostKey } from '../../src/transports/judge-host-key.ts';
import { fingerprint, knownKeys } from '../../src/transports/known-hosts.ts';
import { localSettings } from '../kit/local-settings.ts';

const folder = mkdtempSync(join(tmpdir(), 'ferry-host-keys-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const key = (name: string): string => {
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(folder, name)]);
  return readFileSync(join(folder, `${name}.pub`), 'utf8')
    .split(' ')
    .slice(0, 2)
    .join(' ');
};
const [OWN, OTHER, CA] = [key('own'), key('other'), key('authority')] as [string, string, string];
const blob = OWN.split(' ')[1] ?? '';
const file = join(folder, 'known_hosts');

/** What becomes of a host that shows OWN, with these lines in known_hosts. */
async function judged(lines: string[], { port = 22, isHashed = false, alias = '' } = {}) {
  writeFileSync(file, `${lines.join('\n')}\n`);
  if (isHashed) execFileSync('ssh-keygen', ['-H', '-f', file], { stdio: 'ignore' });
  const known = await knownKeys([file], alias || 'newdb', alias ? 22 : port);
  const settings = { ...localSettings, name: 'new_db', hostName: 'newdb', port, knownHostsFiles: [file] };
  return judgeHostKey({ ...settings, ...(alias ? { hostKeyAlias: alias } : {}) }, known, { type: 'ssh-ed25519', blob });
}

describe('a host is trusted', () => {
  it.each([
    ['by its name', [`newdb ${OWN}`], {}],
    ['by one key of several', [`newdb ${OTHER}`, `newdb ${OWN}`], {}],
    ['by a hashed name', [`newdb ${OWN}`], { isHashed: true }],
    ['by a hashed name with a port', [`[newdb]:2222 ${OWN}`], { isHashed: true, port: 2222 }],
    ['by its alias', [`cluster ${OWN}`], { alias: 'cluster', port: 2222 }],
    ['when another key of it is revoked', [`@revoked newdb ${OTHER}`, `newdb ${OWN}`], {}],
    ['when its key is revoked for others', [`@revoked olddb ${OWN}`, `newdb ${OWN}`], {}],
    ['when there is an authority beside its key', [`@cert-authority * ${CA}`, `newdb ${OWN}`], {}],
  ])('%s', async (_, lines, more) => {
    expect(await judged(lines, more)).toBeUndefined();
  });
});

describe('a host is refused', () => {
  it.each([
    ['when nothing is known of it', ['', '# newdb'], {}, 'HOST_KEY_UNKNOWN'],
    ['when its name is known on another port', [`newdb ${OWN}`], { port: 2222 }, 'HOST_KEY_UNKNOWN'],
    ['when only keys of others are known', [`olddb ${OWN}`], {}, 'HOST_KEY_UNKNOWN'],
    ['when only another key of it is revoked', [`@revoked newdb ${OTHER}`], {}, 'HOST_KEY_UNKNOWN'],
    ['when its key has changed', [`newdb ${OTHER}`], {}, 'HOST_KEY_CHANGED'],
    [
      'when its key has changed, though an authority is there',
      [`@cert-authority * ${CA}`, `newdb ${OTHER}`],
      {},
      'HOST_KEY_CHANGED',
    ],
    ['when its key is revoked in a later line', [`newdb ${OWN}`, `@revoked newdb ${OWN}`], {}, 'HOST_KEY_REVOKED'],
    ['when its key is revoked for all', [`@revoked * ${OWN}`, `newdb ${OWN}`], {}, 'HOST_KEY_REVOKED'],
    [
      'when its key is revoked under a hashed name',
      [`newdb ${OWN}`, `@revoked newdb ${OWN}`],
      { isHashed: true },
      'HOST_KEY_REVOKED',
    ],
    [
      'when its key is revoked on its usual port',
      [`[newdb]:2222 ${OWN}`, `@revoked newdb ${OWN}`],
      { port: 2222 },
      'HOST_KEY_REVOKED',
    ],
    [
      'when its key is revoked in another writing',
      [`newdb ${OWN}`, `@revoked * ${OWN.replace(/=*$/, '')}=`],
      {},
      'HOST_KEY_REVOKED',
    ],
    ['when an authority alone is there for it', [`@cert-authority *db ${CA}`], {}, 'HOST_KEY_CA'],
    ['when its own key stands as an authority', [`@cert-authority * ${OWN}`], {}, 'HOST_KEY_CA'],
    ['when an authority is there, and a revoked key', [`@cert-authority * ${CA}`, `@revoked * ${OTHER}`], {}, 'HOST_KEY_CA'],
  ])('%s', async (_, lines, more, code) => {
    expect(await judged(lines, more)).toMatchObject({ code, exit: 5 });
  });

  it('for an authority with what helps: the fingerprint, its place, and the line to add', async () => {
    const refusal = await judged(['# ours', `@cert-authority * ${CA}`], { port: 2222 });
    expect(refusal?.message).toContain(`certificate authority in ${file} line 2`);
    expect(refusal?.message).toContain(`ssh-ed25519 ${fingerprint(blob)}`);
    expect(refusal?.hint).toContain(`ssh-keyscan -p 2222 newdb >> ${file}`);
  });
});
