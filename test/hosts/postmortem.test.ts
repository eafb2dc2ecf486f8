import { describe, expect, it } from 'vitest';
import { whyLost } from '../../src/hosts/postmortem.ts';

describe('why a command left no exit code', () => {
  const unit = 'boot=same ended=no how=systemd begun=yes LoadState=loaded';
  it.each([
    ['boot=changed ended=no how=systemd begun=yes LoadState=not-found Result=success ExecMainStatus=0', /rebooted/],
    ['boot=changed ended=no how=none begun=no', /rebooted/],
    ['boot=same ended=no how=systemd begun=yes system=stopping LoadState=not-found Result=success', /going down/],
    ['boot=same ended=no how=systemd begun=yes system=', /going down/],
    ['boot=same ended=no how=systemd begun=yes system=offline LoadState=not-found', /going down/],
    ['boot=same ended=yes how=setsid begun=yes', /^Ferry ended it$/],
    ['boot=same ended=no how=none begun=no', /before it began/],
    [`${unit} Result=oom-kill ExecMainCode=2 ExecMainStatus=9`, /memory/],
    [`${unit} Result=signal ExecMainCode=2 ExecMainStatus=9`, /signal 9 \(SIGKILL\)$/],
    [`${unit} Result=core-dump ExecMainCode=3 ExecMainStatus=11`, /signal 11 \(SIGSEGV\)$/],
    ['boot=changed ended=no how=setsid begun=yes written=no', /^its exit code could not be written/],
    ['boot=same ended=no how=none begun=no written=no', /^it was not begun: its script could not be written/],
    [`${unit} Result=exit-code ExecMainCode=1 ExecMainStatus=2`, /disk/],
    [
      'boot=same ended=no how=systemd begun=yes LoadState=not-found Result=success ExecMainCode=0 ExecMainStatus=0',
      /unit is gone/,
    ],
    ['boot=unknown ended=no how=setsid begun=yes', /^its process died$/],
    ['', /^its process died$/],
  ])('%s', (line, why) => {
    expect(whyLost(line)).toMatch(why);
  });
});
