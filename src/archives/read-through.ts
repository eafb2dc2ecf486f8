import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { ArchiveFault } from './archive-fault.ts';

/** A pg_restore that reads a dump to its end and restores nothing. */
export interface ReadThrough {
  take(bytes: Uint8Array): Promise<void>;
  /** Null when it read all of it. */
  end(): Promise<ArchiveFault | null>;
}

/** Starts pg_restore on a dump in custom format; it is the only program that knows whether one is whole. */
export function readThrough(program = 'pg_restore'): ReadThrough {
  const child = spawn(program, ['-f', '/dev/null'], { stdio: ['pipe', 'ignore', 'pipe'], env: { ...process.env, LC_ALL: 'C' } });
  let said = '';
  let isOver = false;
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = `${said}${text}`.slice(0, 4000);
  });
  const ended = once(child, 'close').then(
    ([code]) => (code === 0 ? null : faultOf(said, Number(code))),
    () => new ArchiveFault(`there is no ${program} here to read it with`, { isOurs: true }),
  );
  void ended.then(() => {
    isOver = true;
  });
  // One that has seen enough reads no more: its exit code says why.
  child.stdin.on('error', () => undefined);
  return {
    async take(bytes) {
      if (!isOver && !child.stdin.destroyed && !child.stdin.write(bytes))
        await Promise.race([once(child.stdin, 'drain').catch(() => null), ended]);
    },
    async end() {
      child.stdin.end();
      return ended;
    },
  };
}

function faultOf(said: string, code: number): ArchiveFault {
  const line = said.split('\n').find((one) => one.includes('error:')) ?? said.split('\n')[0] ?? '';
  const why = line.replace(/^pg_restore: (\[[^\]]*\] )?error: /, '').trim() || `pg_restore ended with exit code ${code}`;
  // A newer pg_dump writes a form that an older pg_restore does not know: nothing is wrong with the dump.
  return new ArchiveFault(why, { isOurs: why.startsWith('unsupported version') });
}
