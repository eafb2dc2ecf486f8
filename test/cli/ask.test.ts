import type { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { askLine, askYes } from '../../src/cli/ask.ts';
import { promptSecret } from '../../src/cli/secrets.ts';
import { createKeyboard, createScreen } from '../kit/terminal.ts';

function terminal() {
  const keyboard = createKeyboard();
  const screen = createScreen({ columns: 80, rows: 24 });
  return { stdin: keyboard.stream, stderr: screen.stream, type: keyboard.type, text: screen.text };
}

describe('a question at the terminal', () => {
  it('is answered by a line', async () => {
    const at = terminal();
    const answer = askLine(at, 'Which? ');
    at.type(' this one \r');
    expect(await answer).toBe('this one');
    expect(at.text()).toContain('Which? ');
  });

  // Ferry died with a stack trace when its parent had gone and the shell had taken the terminal.
  it('is not put where the terminal belongs to another program by now', async () => {
    const at = terminal();
    const lost = Object.assign(at.stdin, { setRawMode: () => at.stdin.emit('error', new Error('setRawMode EIO')) });
    expect(await askLine({ ...at, stdin: lost as never }, 'Which? ')).toBe(null);
    expect(await askYes({ ...at, stdin: lost as never }, 'Go on?')).toBe(false);
    expect(at.text()).toBe('');
  });

  it('ends unanswered when the terminal is lost while it stands', async () => {
    const at = terminal();
    const answer = askLine(at, 'Which? ');
    at.stdin.destroy(new Error('read EIO'));
    expect(await answer).toBe(null);
    expect(at.text()).toContain('Which? ');
    // A dialogue that asks again what was not answered must come to its end.
    expect(await askLine(at, 'Which then? ')).toBe(null);
    expect(await promptSecret(at, 'Password')).toBe(null);
    expect(at.text()).not.toMatch(/then|Password/);
  });

  it('for a secret ends so, too', async () => {
    const at = terminal();
    const answer = promptSecret(at, 'Password');
    at.stdin.destroy(new Error('read EIO'));
    expect(await answer).toBe(null);
  });

  it('is not put again once input has ended', async () => {
    const at = terminal();
    const answer = askLine(at, 'Which? ');
    (at.stdin as unknown as PassThrough).end();
    expect(await answer).toBe(null);
    expect(await askLine(at, 'Which then? ')).toBe(null);
  });
});
