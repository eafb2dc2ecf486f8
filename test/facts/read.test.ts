import { describe, expect, it } from 'vitest';
import { type Answer, defineFact, value } from '../../src/facts/fact.ts';
import { readFacts } from '../../src/facts/read.ts';
import { Machine } from '../../src/hosts/machine.ts';
import { type Sh, sh } from '../../src/hosts/sh.ts';
import { LocalTransport } from '../../src/transports/local.ts';
import { localSettings } from '../kit/local-settings.ts';

const here = new Machine(localSettings, new LocalTransport(localSettings));

const scripts: Record<string, Sh> = {};
/** What a script answers, through the same reader as every fact. */
const answerOf = defineFact<[name: string], Answer>({
  kind: 'answerOf',
  class: 'state',
  script: (name) => scripts[name] ?? sh`exit 99`,
  parse: value,
  show: () => '',
});
const read = (...given: Sh[]) => readWithin(30, ...given);
async function readWithin(limitS: number, ...given: Sh[]) {
  given.forEach((script, index) => {
    scripts[index] = script;
  });
  return readFacts(
    here,
    given.map((_, index) => answerOf(String(index)).on('here')),
    limitS,
  );
}

describe.runIf(process.getuid?.() === 0)('reading facts', () => {
  it('gives exit code, stdout and stderr of each reader, in the order asked', async () => {
    const found = await read(sh`echo out; echo err >&2; exit 3`, sh`printf 'no newline'`, sh`true`, sh`printf 'a\\n\\n'`);
    expect(found).toEqual([
      value({ code: 3, stdout: 'out\n', stderr: 'err\n' }),
      value({ code: 0, stdout: 'no newline', stderr: '' }),
      value({ code: 0, stdout: '', stderr: '' }),
      value({ code: 0, stdout: 'a\n\n', stderr: '' }),
    ]);
  });

  it('keeps odd bytes of one reader away from the others', async () => {
    const odd = 'é \u0001 \u001b[31m \t "quoted" \\n $HOME `id` \r\n';
    const found = await read(sh`printf %s ${odd}`, sh`head -c 3000 /dev/urandom`, sh`echo fine`);
    expect(found[0]).toEqual(value({ code: 0, stdout: odd, stderr: '' }));
    expect(found[1]).toMatchObject({ state: 'value', value: { code: 0 } });
    expect(found[2]).toEqual(value({ code: 0, stdout: 'fine\n', stderr: '' }));
  });

  it('is not spoiled by a reader that reads its stdin, breaks its shell, or is killed', async () => {
    const found = await read(sh`cat`, sh`kill -9 $$`, sh`if then`, sh`exec 4>&- 3>&-; echo closed`, sh`echo last`);
    expect(found[0]).toEqual(value({ code: 0, stdout: '', stderr: '' }));
    expect(found[1]).toEqual({ state: 'unreadable', why: 'its reader was killed' });
    expect(found[2]).toMatchObject({ state: 'value', value: { code: 2 } });
    expect(found[4]).toEqual(value({ code: 0, stdout: 'last\n', stderr: '' }));
  });

  it('calls a reader that prints too much unreadable, and cuts long complaints', async () => {
    const found = await read(
      sh`head -c 2000000 /dev/zero | tr '\\0' a`,
      sh`head -c 100000 /dev/zero | tr '\\0' e >&2; echo ok`,
      sh`echo last`,
    );
    expect(found[0]).toEqual({ state: 'unreadable', why: 'it prints more than 512 KiB' });
    expect(found[1]).toMatchObject({ state: 'value', value: { code: 0, stdout: 'ok\n' } });
    expect((found[1] as { value: Answer }).value.stderr).toMatch(/^[\s\S]{4096} \.\.\. \(the rest left out\) \.\.\.$/);
    expect(found[2]).toEqual(value({ code: 0, stdout: 'last\n', stderr: '' }));
  });

  it('gives up on a reader that hangs, and on what it has started, and reads the others', async () => {
    const beganMs = performance.now();
    const found = await readWithin(1, sh`echo part; sleep 60; echo end`, sh`sleep 61 & wait`, sh`echo last`);
    const hung = { state: 'unreadable', why: 'it gave no answer within 1 s' };
    expect(found).toEqual([hung, hung, value({ code: 0, stdout: 'last\n', stderr: '' })]);
    expect(performance.now() - beganMs).toBeLessThan(10_000);
  });

  it('asks nothing of a host about nothing', async () => {
    expect(await readFacts(here, [])).toEqual([]);
  });
});
