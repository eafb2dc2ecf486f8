import { constants } from 'node:os';
import { sh } from './sh.ts';

/** Notes in the folder `$F` of a command which boot of the machine it was begun in. */
export const RECORD_BOOT = sh`{ read -r B </proc/sys/kernel/random/boot_id || B=; echo "$B" >"$F/boot"; }`;

/**
 * Prints in one line what is known of how the command in folder `$F`, of unit `$u`, died; once found it is kept there, because a unit
 * that is let go of tells nothing any more. `whyLost` reads it.
 */
export const POSTMORTEM = sh`if [ -s "$F/lost" ]; then cat "$F/lost"; else { B=; read -r B </proc/sys/kernel/random/boot_id; b=unknown; [ -s "$F/boot" ] && { b=changed; [ "$(cat "$F/boot")" = "$B" ] && b=same; }
e=no; [ -e "$F/ended" ] && e=yes; h=$(cat "$F/how" 2>/dev/null); g=yes; [ -n "$u" ] && [ ! -e "$F/begun" ] && g=no; w=yes; [ -e "$F/unwritten" ] && w=no
echo "boot=$b ended=$e how=\${h:-none} begun=$g written=$w system=$(systemctl is-system-running 2>/dev/null) $([ -n "$u" ] && systemctl show -p LoadState -p Result -p ExecMainCode -p ExecMainStatus "$u" 2>/dev/null | tr '\n' ' ')"; } | tee "$F/lost.new" && sync "$F/lost.new" && mv "$F/lost.new" "$F/lost" || rm -f "$F/lost.new"; fi`;

const KILLED = /^(2|3|killed|dumped)$/;

/** Why a command left no exit code, in words that can follow a colon; from the line of `POSTMORTEM`. */
export function whyLost(line: string): string {
  const found = new Map(
    line
      .trim()
      .split(/\s+/)
      .map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]),
  );
  const is = (name: string, wanted: string) => found.get(name) === wanted;
  if (is('ended', 'yes')) return 'Ferry ended it';
  if (is('written', 'no')) {
    const what = is('begun', 'no') ? 'it was not begun: its script' : 'its exit code';
    return `${what} could not be written; is the disk under /var/lib/ferry full?`;
  }
  if (is('boot', 'changed')) return 'the host was rebooted (its boot id has changed)';
  // A systemd that gives no answer any more is on its way down too.
  const isMute =
    is('how', 'systemd') && /^(unknown|offline|)$/.test(found.get('system') ?? 'running') && !is('LoadState', 'loaded');
  if (is('system', 'stopping') || isMute) return 'the host was going down: it was shut down or rebooted';
  if (is('begun', 'no')) return 'it was cut off before it began';
  // A unit that is gone shows a Result of success: only one that is still loaded tells something.
  if (is('LoadState', 'loaded')) {
    if (is('Result', 'oom-kill')) return 'the kernel killed it because memory ran out';
    if (is('Result', 'timeout')) return 'it did not end in time when its unit was stopped, and was killed';
    if (KILLED.test(found.get('ExecMainCode') ?? ''))
      return `it was killed by ${signalName(Number(found.get('ExecMainStatus')))}`;
    if (is('Result', 'exit-code')) return 'its exit code could not be written; is the disk under /var/lib/ferry full?';
  }
  if (is('how', 'terminal')) return 'its terminal was closed: whoever answered it was gone';
  if (is('how', 'systemd')) return 'its unit is gone: somebody stopped it';
  return 'its process died';
}

function signalName(number: number): string {
  const name = Object.entries(constants.signals).find(([, value]) => value === number)?.[0];
  return name ? `signal ${number} (${name})` : `signal ${number}`;
}
