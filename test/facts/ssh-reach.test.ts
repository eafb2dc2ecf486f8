import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, onTestFinished, test } from 'vitest';
import { sshReach } from '../../src/facts/ssh-reach.ts';
import { answer, readHere } from '../kit/read-here.ts';

/** The port of a process of its own that says so to whoever connects. */
async function greeting(words: string): Promise<number> {
  const serve = `const server = require('node:net').createServer((one) => { one.on('error', () => {}); one.end(${JSON.stringify(words)}); });
server.listen(0, '127.0.0.1', () => console.log(server.address().port));`;
  const child = spawn(process.execPath, ['-e', serve], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill());
  const [line] = await once(child.stdout, 'data');
  return Number(line);
}

describe('sshReach', () => {
  test('reads what the host said', () => {
    expect(sshReach.definition.parse(answer('client\nsilent\n192.0.2.1 2001:db8::1 \n'))).toEqual({
      state: 'value',
      value: { client: true, answers: false, addresses: ['192.0.2.1', '2001:db8::1'] },
    });
  });

  test('takes the greeting of an ssh server for an answer, whatever comes after it', async () => {
    expect(readHere(sshReach('127.0.0.1', await greeting('SSH-2.0-Other_1.0\r\n')).on('one'))).toMatchObject({
      value: { answers: true },
    });
  });

  test('takes no other server for one, nor an error that names a host like it', async () => {
    expect(readHere(sshReach('127.0.0.1', await greeting('220 mail ready\r\n')).on('one'))).toMatchObject({
      value: { answers: false },
    });
    expect(readHere(sshReach('SSH-GW1.invalid', 22).on('one'))).toMatchObject({ value: { answers: false } });
  });
});
