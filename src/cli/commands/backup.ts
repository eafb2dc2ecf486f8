import { isoTime, nowMs } from '../../lib/clock.ts';
import { jsonText } from '../../lib/json.ts';
import { JSON_FLAG } from '../options.ts';
import { type Outside, pageOf, print } from '../outside.ts';
import { does, examples, type Verb } from '../verb.ts';

/** `ferry backup inspect FILE`: what is in an archive of engine-backup, and whether it is whole. */
export const backup: Verb = (program, cli) => {
  const group = program
    .command('backup')
    .usage('<verb> [options]')
    .helpCommand('help [verb]', 'show the help of a verb')
    .summary('look at an archive of engine-backup')
    .description('Look at an archive of engine-backup on this machine, without oVirt and without unpacking it.')
    .addHelpText('after', examples('ferry backup inspect engine.backup'));
  group
    .command('inspect')
    .summary('what is in it, and whether it is whole')
    .description(
      'List and verify an archive of engine-backup: its hashes, every dump and the files to their end. Nothing of it is run. ' +
        'Ends with exit code 1 where something is wrong with it.',
    )
    .argument('<file>', 'the archive')
    .option(...JSON_FLAG)
    .addHelpText('after', examples('ferry backup inspect engine.backup', 'ferry backup inspect engine.backup --json'))
    .action(
      does(cli, async (path: string, { json = false }: { json?: boolean }) => {
        const { inspectBackup } = await import('../../archives/inspect-backup.ts');
        const { createMeter } = await import('../../renderers/meter.ts');
        const line = progressLine(cli.outside, createMeter());
        const report = await inspectBackup(path, { onProgress: line.show }).finally(line.clear);
        const { backupText } = await import('../../renderers/backup.ts');
        print(cli.outside, json ? jsonText(report, 2) : backupText(report, pageOf(cli.outside, 'stdout')));
        return report.verdict === 'damaged' ? 1 : 0;
      }),
    );
};

/** One line on a terminal's stderr that says how far a file was read; nothing elsewhere, nor in the first moments. */
function progressLine({ stderr }: Outside, meter: ReturnType<typeof import('../../renderers/meter.ts').createMeter>) {
  const beganMs = nowMs();
  let toldMs = beganMs;
  return {
    show(bytes: number, totalBytes: number): void {
      const now = nowMs();
      if (!stderr.isTTY || now - beganMs < 1000 || now - toldMs < 200) return;
      toldMs = now;
      stderr.write(`\r\u001b[K${meter.words({ at: isoTime(now), note: 'reading', bytes, totalBytes })}`);
    },
    clear(): void {
      if (toldMs !== beganMs) stderr.write('\r\u001b[K');
    },
  };
}
