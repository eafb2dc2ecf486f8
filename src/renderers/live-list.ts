import { stripVTControlCharacters } from 'node:util';
import type { Paint } from './paint.ts';

/** How an item of a live list stands. `rule` is a title without a mark, `passed` the same once it was reached. */
export type Mark = 'waiting' | 'running' | 'done' | 'same' | 'skipped' | 'failed' | 'unsure' | 'rule' | 'passed';

export interface LiveItem {
  readonly key: string;
  mark: Mark;
  title: string;
  /** Lines below the title; empty for none. */
  detail: string;
}

export interface LiveList {
  /** Shows the present state of an item; it may come back to running after it failed. */
  refresh(item: LiveItem): void;
  /** Leaves the last state on the screen, without the items in `hide`, and gives the cursor back. */
  close(hide?: readonly LiveItem[]): Promise<void>;
}

/** Shows items in a terminal, redrawn in place, with the running one always in sight. */
export async function openLiveList(items: readonly LiveItem[], stream: NodeJS.WriteStream, paint: Paint): Promise<LiveList> {
  // Only a live terminal needs it, and it is heavy.
  const { DefaultRenderer, figures, Listr, ListrLogger, ProcessOutput, Spinner } = await import('listr2');
  const spinner = new Spinner();
  const byTask = new Map<string, LiveItem>();
  const marks: Record<Exclude<Mark, 'running'>, string> = {
    waiting: paint.quiet('·'),
    done: paint.good(figures.tick),
    same: paint.quiet('='),
    skipped: paint.quiet('-'),
    failed: paint.bad(figures.cross),
    unsure: paint.warn('?'),
    rule: '',
    passed: '',
  };

  class Frame extends DefaultRenderer {
    // The caller has looked at its stream; listr2 would look at stdout.
    static override nonTTY = true;
    protected override style(task: { id: string }, output = false): string {
      if (output) return '';
      const mark = byTask.get(task.id)?.mark ?? 'waiting';
      return mark === 'running' ? paint.warn(spinner.fetch()) : marks[mark];
    }
    override create(options?: { tasks?: boolean; bottomBar?: boolean; prompt?: boolean }): string {
      const frame = super.create(options);
      // The last frame, asked for without a prompt, stays on the screen whole.
      return options?.prompt === false ? frame : windowOf(frame, (stream.rows ?? 24) - 1, spinner.fetch());
    }
  }

  const tasks = new Map<LiveItem, { title: string; output: string }>();
  const ended = new Map<LiveItem, () => void>();
  let allStarted: () => void = () => undefined;
  const started = new Promise<void>((resolve) => {
    allStarted = resolve;
  });
  const list = new Listr(
    items.map((item) => ({
      title: item.title,
      task: (_context, task) => {
        tasks.set(item, task);
        if (item.detail) task.output = item.detail;
        if (tasks.size === items.length) allStarted();
        return new Promise<void>((resolve) => ended.set(item, resolve));
      },
      rendererOptions: { persistentOutput: true, outputBar: 1 },
    })),
    {
      concurrent: true,
      renderer: Frame,
      // Ctrl-C belongs to the command line: listr2 would end the process.
      registerSignalListeners: false,
      rendererOptions: {
        spinner,
        // What others write while the picture is live is held back and shown after it.
        logger: new ListrLogger({
          useIcons: true,
          processOutput: new ProcessOutput(stream, stream === process.stderr ? process.stdout : process.stderr),
        }),
      },
    },
  );
  for (const [index, task] of list.tasks.entries()) {
    const item = items[index];
    if (item) byTask.set(task.id, item);
  }
  const over = list.run();
  // Each row must have been handed its way to change and to end before anybody may use it.
  await Promise.race([started, over]);
  return {
    refresh(item) {
      const task = tasks.get(item);
      if (!task) return;
      task.output = item.detail;
      task.title = item.title;
    },
    async close(hide = []) {
      for (const item of hide) {
        const task = tasks.get(item);
        if (task) task.title = '';
      }
      for (const end of ended.values()) end();
      await over;
    },
  };
}

/** The part of a frame that fits on the screen, with the running line in it and a word on what is cut. */
export function windowOf(frame: string, rows: number, runningMark: string): string {
  const lines = frame.split('\n');
  if (lines.length <= rows) return frame;
  const running = lines.findIndex((line) => stripVTControlCharacters(line).startsWith(runningMark));
  const room = Math.max(1, rows - 2);
  const from = Math.max(0, Math.min(running < 0 ? lines.length : running - Math.floor(room / 2), lines.length - room));
  const below = lines.length - from - room;
  return [
    from > 0 ? `  ... ${from} more above` : '',
    ...lines.slice(from, from + room),
    below > 0 ? `  ... ${below} more below` : '',
  ]
    .filter((line) => line !== '')
    .join('\n');
}
