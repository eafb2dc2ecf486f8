import { describe, expect, it } from 'vitest';
import { explainStall } from '../../src/hosts/diagnose.ts';
import { limitWords, plainLimits, unitLimits } from '../../src/hosts/limits.ts';
import { StallWatch } from '../../src/hosts/stall-watch.ts';

describe('a command without progress', () => {
  it('is told once when it has stood still for long enough, and once when it moves again', () => {
    const watch = new StallWatch(300);
    const seen = [
      ...[watch.see('1', 1000), watch.see('1', 1299), watch.see('1', 1300), watch.see('1', 5000)],
      ...[watch.see('2', 6000), watch.see('2', 6100), watch.see('3', 6300), watch.see('3', 6700)],
    ];
    expect(seen).toEqual([
      ...[null, null, { is: 'stalled', ms: 300 }, null],
      ...[{ is: 'moved', ms: 5000 }, null, null, { is: 'stalled', ms: 400 }],
    ]);
  });

  const df = 'df Filesystem 1024-blocks Used Available Capacity Mounted on';
  it.each([
    ['of which nothing is left', '', ['none of its processes was found']],
    [
      'that waits, as its action says',
      `a 7 S 10 100 ep_poll pg_restore\nnet 500\nb 7 S 10 100 ep_poll pg_restore\nnet 900\n${df}\nsaid\nit waits for pid 9\n`,
      ['it waits for pid 9', 'its processes (pg_restore) wait; the network of the host is idle'],
    ],
    [
      'that works quietly',
      'a 7 R 10 100 0 gzip\nnet 500\nb 7 R 98 2100 0 gzip\nnet 900\n',
      ['its processes are at work without telling: 0.88 s of CPU, 2.0 kB read or written within a second'],
    ],
    [
      'on a full disk',
      `a 7 S 1 1 x cp\nnet 0\nb 7 S 1 1 x cp\nnet 3000000\n${df}\ndf /dev/vda2 1000 995 5 100% /srv/my data\ndf /dev/loop0 5 5 0 100% /snap/x\ndf tmpfs 9 1 8 12% /run\n`,
      ['/srv/my data is full (100 % used)', 'its processes (cp) wait; the network of the host moves 3.0 MB/s'],
    ],
    [
      'that was stopped, or hangs in the kernel',
      'a 7 T 1 1 do_signal_stop tar\na 8 D 1 1 nfs_wait cat (x) y\nnet 0\nb 7 T 1 1 do_signal_stop tar\nb 8 D 1 1 nfs_wait cat (x) y\nnet 0\n',
      [
        'tar (pid 7) was stopped by a signal; kill -CONT 7 lets it go on',
        'cat (x) y (pid 8) waits for a disk or a network file system (nfs_wait)',
        'its processes (tar, cat (x) y) wait; the network of the host is idle',
      ],
    ],
  ])('%s', (_, stdout, told) => {
    expect(explainStall(stdout)).toEqual(told);
  });
});

describe('limits of a long command', () => {
  it('are properties of its unit, or nice and ionice where there are no units', () => {
    const limits = { cpuWeight: 20, ioWeight: 20, memoryMaxBytes: 2 ** 31 };
    expect(unitLimits(limits).text.replaceAll("'", '')).toBe(
      '--property=CPUWeight=20 --property=IOWeight=20 --property=MemoryMax=2147483648',
    );
    expect(plainLimits(limits).text).toBe('nice -n 7 ionice -c 2 -n 7 -t');
    expect(plainLimits({ cpuWeight: 1, ioWeight: 10_000 }).text).toBe('nice -n 19 ionice -c 2 -n 0 -t');
    expect([unitLimits({}).text, plainLimits({}).text]).toEqual(['', '']);
    expect(limitWords(limits)).toBe('CPU weight 20, I/O weight 20, memory at most 2.1 GB');
  });
});
