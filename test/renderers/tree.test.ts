import { setTimeout as delay } from 'node:timers/promises';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import type { EventBody } from '../../src/engine/events.ts';
import { createTree } from '../../src/renderers/tree.ts';
import { eventsAt, movePlan, planLine, RUN, restoreFailed } from '../kit/plans.ts';
import { soon } from '../kit/soon.ts';
import { createScreen } from '../kit/terminal.ts';

const SHOW_CURSOR = '\u001b[?25h';
const HIDE_CURSOR = '\u001b[?25l';
const started = (step: string, host: string, more: object = {}) =>
  ({ type: 'step.started', step, host, attempt: 1, title: step, summary: `do ${step}`, reattached: false, ...more }) as EventBody;
const ended = (step: string, host: string, more: object = {}) =>
  ({
    type: 'step.ended',
    step,
    host,
    outcome: 'ok',
    summary: `did ${step}`,
    ms: 1000,
    outputs: {},
    error: null,
    ...more,
  }) as EventBody;
const begun = (done: string[] = []): EventBody => ({ type: 'run.started', plan: movePlan(), resumed: done.length > 0, done });

/** Feeds events to a tree on a screen; the last frame is what stands after the last clearing of the screen. */
function play(size = { columns: 100, rows: 30 }) {
  const screen = createScreen(size);
  const tree = createTree(screen.stream);
  return {
    tree,
    screen,
    say(...bodies: EventBody[]) {
      for (const event of eventsAt(...bodies.map((body, index) => [index, body] as const))) tree.emit(event);
    },
    async lastFrame() {
      await tree.close();
      const text = screen.text();
      // The last frame is written whole, from its first row on.
      return text.slice(text.lastIndexOf('he1     maintenance') - 2).trimEnd();
    },
  };
}

describe('the live tree', () => {
  it('shows a step that was skipped as such, and one that is tried again in a row of its own', async () => {
    const { say, tree, screen } = play();
    say({
      type: 'run.started',
      plan: movePlan(),
      resumed: true,
      done: ['maintenance', 'stop-services'],
      skipped: ['stop-services'],
    });
    say(started('dump', 'engine'), ended('dump', 'engine', { outcome: 'failed', error: restoreFailed }));
    await tree.suspend();
    tree.resume();
    const answered = {
      type: 'failure.answered',
      step: 'dump',
      host: 'engine',
      by: 'me@here',
      reason: null,
      warnings: [],
    } as const;
    const before = screen.text().length;
    say({ ...answered, answer: 'retry' }, started('dump', 'engine', { attempt: 2 }), ended('dump', 'engine'));
    await tree.close();
    expect(screen.text().slice(0, before)).toMatch(/^- engine {2}stop-services/m);
    expect(screen.text().slice(before)).toContain('engine  dump            tried again by me@here');
    expect(screen.text().slice(before)).toMatch(/^\S engine {2}dump +did dump/m);
  });

  it('shows what is done, failed with its error, and still to come, and gives the cursor back', async () => {
    const { say, lastFrame, screen } = play();
    say(
      begun(),
      started('maintenance', 'he1'),
      ended('maintenance', 'he1', { outcome: 'no-change' }),
      started('stop-services', 'engine'),
      { type: 'note', text: 'takes long to stop' },
      ended('stop-services', 'engine'),
      { type: 'checkpoint.reached', checkpoint: 'quiesced' },
      started('dump', 'engine'),
      ended('dump', 'engine'),
      started('restore', 'newdb'),
      ended('restore', 'newdb', { outcome: 'failed', error: restoreFailed }),
      { type: 'run.paused', reason: 'failure', step: 'restore', error: restoreFailed },
    );
    const [tick, cross] = process.env.TERM === 'linux' ? ['√', '×'] : ['✔', '✖'];
    expect(await lastFrame()).toBe(
      `
= he1     maintenance     did maintenance  1.0 s
${tick} engine  stop-services   did stop-services  1.0 s
  takes long to stop
  ----- checkpoint: quiesced reached -----
${tick} engine  dump            did dump  1.0 s
${cross} newdb   restore         did restore  1.0 s
  error COMMAND_FAILED  restore on newdb ended with exit code 1: pg_restore: error: could not
      write: No space left on device
      Nothing is left of the half restore on newdb.
      ferry resume
· engine  compare         rows and content of every table
  ----- checkpoint: moved -----
· engine  point-at-new    10-setup-database.conf
· engine  start-services  start ovirt-engine, ovirt-engine-dwhd`.trimStart(),
    );
    expect(screen.raw()).toContain(HIDE_CURSOR);
    expect(screen.raw().lastIndexOf(SHOW_CURSOR)).toBeGreaterThan(screen.raw().lastIndexOf(HIDE_CURSOR));
  });

  it('shows bytes, rate and the time left under the running step', async () => {
    const { say, tree, screen } = play();
    say(
      begun(),
      started('restore', 'newdb'),
      {
        type: 'step.progressed',
        step: 'restore',
        host: 'newdb',
        note: 'restoring',
        bytes: 27_000_000,
        totalBytes: 204_000_000,
        log: null,
      },
      {
        type: 'step.progressed',
        step: 'restore',
        host: 'newdb',
        note: 'restoring',
        bytes: 61_000_000,
        totalBytes: 204_000_000,
        log: null,
      },
    );
    await soon(() => expect(screen.text()).toContain('restoring: 61.0 MB of 204 MB, 34.0 MB/s, about 4 s left'));
    await tree.close();
  });

  it('shows steps of before a resume as done, and says what was joined again', async () => {
    const { say, lastFrame, screen } = play();
    say(begun(['maintenance', 'stop-services']), started('dump', 'engine', { reattached: true }));
    const frame = await lastFrame();
    expect(screen.text()).toContain(`Run ${RUN} of migrate-engine-db goes on: 2 of 7 steps done before.`);
    expect(
      frame
        .split('\n')
        .slice(0, 2)
        .every((line) => /^[✔√] /.test(line)),
    ).toBe(true);
    expect(frame).toContain('do dump  joined again');
  });

  it('shows the second attempt of a step that failed', async () => {
    const { say, lastFrame } = play();
    say(
      begun(),
      started('dump', 'engine'),
      ended('dump', 'engine', { outcome: 'failed', error: restoreFailed }),
      started('dump', 'engine', { attempt: 2 }),
      ended('dump', 'engine'),
    );
    const frame = await lastFrame();
    expect(frame).toMatch(/[✔√] engine {2}dump {12}did dump/);
    expect(frame).not.toContain('COMMAND_FAILED');
  });

  it('shows a rollback after the run, with what it kept', async () => {
    const { say, tree, screen } = play();
    say(
      begun(),
      started('maintenance', 'he1'),
      ended('maintenance', 'he1'),
      {
        type: 'rollback.started',
        steps: [{ step: 'maintenance', host: 'he1', summary: 'back to none' }],
        irreversible: [],
        to: null,
      },
      { type: 'undo.started', step: 'maintenance', host: 'he1', summary: 'back to none' },
      {
        type: 'undo.ended',
        step: 'maintenance',
        host: 'he1',
        outcome: 'ok',
        ms: 500,
        kept: ['the old mode'],
        error: null,
        waitsFor: [],
      },
      { type: 'run.rolled-back', to: null, proof: [], kept: [], ms: 500 },
    );
    await tree.close();
    expect(screen.text()).toContain(`Rolling back ${RUN}: 1 step, last first.`);
    expect(screen.text()).toMatch(/[✔√] he1 {2}maintenance {2}back to none\n {2}kept: the old mode/);
  });

  it('leaves the screen to a question and goes on below it without what was shown before', async () => {
    const { say, tree, screen } = play();
    say(begun(), started('maintenance', 'he1'), ended('maintenance', 'he1'));
    await tree.suspend();
    const before = screen.raw().length;
    expect(screen.raw()).toMatch(/\?25h$/);
    say(started('stop-services', 'engine'));
    await delay(150);
    expect(screen.raw().length).toBe(before);
    tree.resume();
    await tree.close();
    const after = stripVTControlCharacters(screen.raw().slice(before));
    expect(after).toContain('do stop-services');
    expect(after).not.toContain('did maintenance');
  });

  it('keeps the running step on a screen that is too small, and prints every step at the end', async () => {
    const { say, tree, screen } = play({ columns: 80, rows: 8 });
    const lines = Array.from({ length: 30 }, (_, index) =>
      planLine({
        step: `step-${index}`,
        host: 'db',
        summary: 'a summary far too long for a screen of eighty columns, so it is cut',
      }),
    );
    say(
      {
        type: 'run.started',
        plan: movePlan({ lines, checkpoints: [] }),
        resumed: false,
        done: lines.slice(0, 20).map(({ step }) => step),
      },
      started('step-20', 'db'),
    );
    await soon(() => expect(screen.text()).toMatch(/\.\.\. \d+ more above[\s\S]*do step-20/));
    const live = screen.raw().length;
    await tree.close();
    const whole = screen.raw().slice(live);
    for (const { step } of lines) expect(whole).toContain(step);
    expect(
      Math.max(
        ...screen
          .text()
          .split('\n')
          .map((line) => line.length),
      ),
    ).toBeLessThanOrEqual(80);
  });

  it('survives events of a step it does not know', async () => {
    const { say, lastFrame } = play();
    say(
      begun(),
      started('elsewhere', 'db'),
      ended('elsewhere', 'db'),
      started('maintenance', 'he1'),
      ended('maintenance', 'he1'),
    );
    expect(await lastFrame()).toContain('did maintenance');
  });
});
