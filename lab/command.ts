import { spawn } from 'node:child_process';
import { LabError } from './lab-error.ts';

export type CommandResult = { code: number; stdout: string; stderr: string };

export type CommandOptions = {
  input?: string;
  env?: NodeJS.ProcessEnv;
  /** After this many milliseconds the command gets SIGKILL and its code is 137. */
  timeoutMs?: number;
  /** Called with each whole line of stdout and stderr as it comes. */
  onLine?: (line: string) => void;
};

/** Runs one command to its end and gives its code and output; a command that dies by a signal has 128 + signal, one that is missing has 127. */
export function runCommand(argv: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
  const [file = '', ...args] = argv;
  return new Promise((resolve) => {
    const child = spawn(file, args, { env: options.env ?? process.env, stdio: ['pipe', 'pipe', 'pipe'] });
    const kill = options.timeoutMs === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), options.timeoutMs);
    const out = { stdout: '', stderr: '' };
    for (const stream of ['stdout', 'stderr'] as const) {
      let rest = '';
      child[stream].setEncoding('utf8').on('data', (text: string) => {
        out[stream] += text;
        if (!options.onLine) return;
        const lines = (rest + text).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) options.onLine(line);
      });
    }
    const end = (code: number) => {
      clearTimeout(kill);
      resolve({ code, ...out });
    };
    child.on('error', (error) => {
      out.stderr += error.message;
      end(127);
    });
    child.on('close', (code, signal) => end(code ?? (signal === 'SIGKILL' ? 137 : 143)));
    // A command that ends without reading its input must not take this process down with EPIPE.
    child.stdin.on('error', () => {});
    child.stdin.end(options.input ?? '');
  });
}

/**
 * Like runCommand, and gives stdout.
 * @throws LabError when the code is not 0, with the last lines the command said.
 */
export async function mustRun(
  argv: readonly string[],
  options: CommandOptions & { doing: string; hint?: string },
): Promise<string> {
  const result = await runCommand(argv, options);
  if (result.code === 0) return result.stdout;
  const said = (result.stderr.trim() || result.stdout.trim()).split('\n').slice(-12).join('\n  ');
  throw new LabError(
    `The lab could not ${options.doing}: ${argv[0]} ended with ${result.code}.\n  ${said}`,
    options.hint ?? 'ferry lab down',
  );
}
