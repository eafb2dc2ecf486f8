import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { ActingHost, Progress, Reply } from '../../src/hosts/host.ts';
import type { AttemptId } from '../../src/hosts/layout.ts';
import { Secret } from '../../src/hosts/secret.ts';
import { sh } from '../../src/hosts/sh.ts';
import { randomToken } from '../../src/lib/random.ts';
import { fleetHere } from '../kit/fleet-here.ts';

// Programs that ask, real ones, each at a real terminal of this machine.
const folder = mkdtempSync(join(tmpdir(), 'ferry-converse-'));
const fleet = fleetHere(folder);
const RUN = `r-here-${randomToken(4)}`;
const SLOW = { timeout: 60_000 };
const WAIT = { timeout: 20_000 };
const made = (name: string) => join(folder, name);
let count = 0;

interface Attempt {
  readonly id: AttemptId;
  readonly on: ActingHost;
  readonly cancel: AbortController;
  /** All that was reported as its log. */
  log(): string;
}

async function attempt(): Promise<Attempt> {
  count += 1;
  const id = { run: RUN, step: `s${count}`, attempt: 1, epoch: 1, undo: false };
  await fleet.openAttempt('here', id, '{}');
  const reports: Progress[] = [];
  const cancel = new AbortController();
  const on = fleet.acting('here', id, cancel.signal, (progress) => void reports.push(progress));
  return { id, on, cancel, log: () => reports.map(({ log }) => log?.text ?? '').join('') };
}

/** Answers each question by its last line, once it stands there whole. */
const by =
  (answers: Readonly<Record<string, string | Secret>>): Reply =>
  ({ said, hasPaused }) => {
    const question = said.split('\n').at(-1) ?? '';
    return hasPaused ? (answers[question] ?? null) : null;
  };
const silent: Reply = () => null;
const stateOf = async (id: AttemptId) => (await fleet.effects('here', id))?.[0];
const isAlive = (pid: string) => {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid.trim()}/status`, 'utf8'));
  } catch {
    return false;
  }
};
const standsAt = (file: string) => vi.waitFor(() => expect(existsSync(file)).toBe(true), WAIT);
/** Asks without end, with a child that hears nothing: it has another session, no environment and ignores being hung up. */
const STUBBORN = sh`trap '' HUP TERM; setsid env -i sh -c 'trap "" HUP; echo $$ >"$1"; exec sleep 300' - ${made('child')} &
echo $$ >${made('self')}; printf 'Sure? '; while :; do read -r x || sleep 0.1; done`;

beforeAll(async () => {
  await fleet.takeLease('here', { run: RUN, holder: 'test@here', since: '2026-01-01T00:00:00Z' }, 1);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.runIf(process.platform === 'linux')('a program at a terminal', SLOW, () => {
  it('is asked at a real terminal, answered, and leaves its exit code', async () => {
    const { id, on, log } = await attempt();
    const program = sh`[ -t 0 ] && [ -t 1 ] || exit 9; echo welcome; printf 'Name: '; read -r n; printf 'Word: '; read -r w
printf '%s %s\\n' "$n" "$w" >${made('answers')}; printf done; exit 3`;
    const reply = by({ 'Name: ': "o'hara $HOME", 'Word: ': new Secret('hunter2 &', 'input:p') });
    expect(await on.converse('ask', program, { reply, okCodes: [3] })).toEqual({ code: 3, stdout: '', stderr: '' });
    expect(readFileSync(made('answers'), 'utf8')).toBe("o'hara $HOME hunter2 &\n");
    // Nothing that was typed was echoed; what is shown of it is ours.
    expect(log()).toBe("welcome\nName: o'hara $HOME\nWord: [secret]\ndone\n");
    expect(await stateOf(id)).toMatchObject({ detached: true, state: 'exited', code: 3 });
    expect(await on.converse('ask', program, { reply: silent, okCodes: [3] })).toMatchObject({ code: 3 });
    await expect(on.converse('ask', program, { reply: silent })).rejects.toMatchObject({ code: 'COMMAND_FAILED' });
  });

  it('that asks for a password past its input gets it, and shows it to nobody', async () => {
    const { on, log } = await attempt();
    const program = sh`printf 'Password: ' >/dev/tty; read -r p </dev/tty; test "$p" = hunter2 && echo 'it is hunter2'`;
    expect(await on.converse('ask', program, { reply: by({ 'Password: ': new Secret('hunter2', 'input:p') }) })).toMatchObject({
      code: 0,
    });
    // The log brings what the program itself prints; taking secrets out of that is for the redactor of the run.
    expect(log()).toBe('Password: [secret]\nit is hunter2\n');
  });

  it('has a bare environment', async () => {
    const { on, log } = await attempt();
    await on.converse('ask', sh`env | cut -d= -f1 | sort | tr '\\n' ' '; echo "$TERM"; stty size`, { reply: silent });
    expect(log()).toBe('FERRY_EFFECT LC_ALL PATH PWD TERM dumb\n50 1000\n');
  });

  it('is ended with all that it started when its answer is refused, and what refused it is told', async () => {
    const { id, on } = await attempt();
    const reply: Reply = ({ said }) => {
      if (said.endsWith('Sure? ') && existsSync(made('child'))) throw new Error('no answer to that');
      return null;
    };
    await expect(on.converse('ask', STUBBORN, { reply })).rejects.toThrow('no answer to that');
    const pids = ['self', 'child'].map((name) => readFileSync(made(name), 'utf8'));
    expect(pids.filter(isAlive)).toEqual([]);
    expect(await stateOf(id)).toMatchObject({ state: 'lost', why: 'Ferry ended it' });
    rmSync(made('child'));
  });

  it('is ended when the person who waits for it cancels', async () => {
    const { on, cancel } = await attempt();
    const work = on.converse('ask', sh`echo $$ >${made('cancelled')}; read -r x`, { reply: silent });
    const gone = expect(work).rejects.toThrow('enough');
    await standsAt(made('cancelled'));
    cancel.abort(new Error('enough'));
    await gone;
    expect(isAlive(readFileSync(made('cancelled'), 'utf8'))).toBe(false);
  });

  it('whose controller is gone is no end of a conversation: who comes next ends it, and never answers', async () => {
    const { id, on } = await attempt();
    const work = on.converse('ask', STUBBORN, { reply: silent });
    const first = expect(work).rejects.toMatchObject({ code: 'COMMAND_LOST' });
    await standsAt(made('child'));
    expect(await stateOf(id)).toMatchObject({ state: 'running' });
    const next = fleet.acting('here', id, new AbortController().signal, () => undefined);
    const answers = vi.fn(silent);
    await expect(next.converse('ask', STUBBORN, { reply: answers })).rejects.toMatchObject({
      code: 'COMMAND_LOST',
      args: { why: 'Ferry ended it' },
    });
    expect(answers).not.toHaveBeenCalled();
    await first;
    expect(['self', 'child'].map((name) => readFileSync(made(name), 'utf8')).filter(isAlive)).toEqual([]);
  });

  it('dies with its terminal, and that is told from any other end', async () => {
    const { id, on } = await attempt();
    const work = on.converse('ask', sh`echo $$ >${made('hung-up')}; read -r x; read -r y`, { reply: silent });
    const lost = expect(work).rejects.toMatchObject({
      code: 'COMMAND_LOST',
      args: { why: 'its terminal was closed: whoever answered it was gone' },
    });
    await standsAt(made('hung-up'));
    // What holds the terminal goes, as an sshd does whose connection has ended: the kernel then hangs it up.
    const [leader = ''] = readFileSync(join(folder, 'lib', RUN, `${id.step}.1`, 'ask', 'pid'), 'utf8').split(' ');
    const [, parent] = /^\d+ \(.*\) \S (\d+)/.exec(readFileSync(`/proc/${leader}/stat`, 'utf8')) ?? [];
    process.kill(Number(parent), 'SIGKILL');
    await lost;
  });

  it('does not begin for a controller that has lost the run, nor where it was counted as lost', async () => {
    const { id } = await attempt();
    const begun = made('begun-stale');
    const stale = fleet.acting('here', { ...id, epoch: 0 }, new AbortController().signal, () => undefined);
    await expect(stale.converse('ask', sh`touch ${begun}`, { reply: silent })).rejects.toMatchObject({ code: 'EPOCH_STALE' });
    const late = await attempt();
    mkdirSync(join(folder, 'lib', RUN, `${late.id.step}.1`, 'ask'));
    await expect(late.on.converse('ask', sh`touch ${begun}`, { reply: silent })).rejects.toMatchObject({ code: 'COMMAND_LOST' });
    expect(existsSync(begun)).toBe(false);
  });
});
