import { formatBytes } from '../lib/bytes.ts';
import { printable } from '../lib/text.ts';
import { SET_PARTS } from './detached-scripts.ts';
import { type AttemptId, attemptDir, unitName } from './layout.ts';
import { type Sh, sh } from './sh.ts';

/**
 * Looks at what a command that shows no progress is doing: its processes twice, a second apart, the network, the disks, and what `own`,
 * a script of its action, says. Reads only. `explainStall` makes sentences of it.
 */
export function diagnoseScript(id: AttemptId, name: string, own: Sh | undefined): Sh {
  return sh`F=${`${attemptDir(id)}/${name}`}; u=${unitName(id, name)}; ${SET_PARTS}
pids() { C=$(systemctl show -p ControlGroup --value "$u" 2>/dev/null); if [ -n "$C" ]; then cat "/sys/fs/cgroup$C/cgroup.procs" "/sys/fs/cgroup/systemd$C/cgroup.procs" 2>/dev/null; else members; fi; }
look() { for p in $(pids); do read -r S <"/proc/$p/stat" || continue; c="\${S#*(}"; c="\${c%)*}"; set -- \${S##*) }; i=0
while read -r k v; do case $k in rchar:|wchar:) i=$((i+v));; esac; done <"/proc/$p/io"; echo "$w $p $1 $((\${12}+\${13})) $i $(cat "/proc/$p/wchan") $c"; done 2>/dev/null
n=0; while read -r i a b c d e f g h t rest; do case "$i" in lo:) ;; *:) n=$((n+a+t));; esac; done </proc/net/dev; echo "net $n"; }
w=a; look; sleep 1; w=b; look; df -P 2>/dev/null | sed -n 's/^/df /p'
${own ? sh`echo said; timeout 10 sh -c ${own.text} 2>/dev/null | head -c 2000` : sh`:`}; exit 0`;
}

interface Process {
  readonly pid: string;
  readonly state: string;
  readonly ticks: number;
  readonly bytes: number;
  readonly waitsIn: string;
  readonly name: string;
}

/** Why a command shows no progress, in sentences, what its action knows first; from what `diagnoseScript` prints. */
export function explainStall(stdout: string): string[] {
  const [seen = '', ...more] = printable(stdout).split('\nsaid\n');
  const said = more
    .join('\n')
    .split('\n')
    .filter((line) => line.trim() !== '');
  const lines = seen.split('\n');
  const [before, now] = [processes(lines, 'a'), processes(lines, 'b')];
  const net = lines.flatMap((line) => (line.startsWith('net ') ? [Number(line.slice(4))] : []));
  const stuck = [...now.values()].flatMap((one) => {
    if (/^[Tt]$/.test(one.state))
      return [`${one.name} (pid ${one.pid}) was stopped by a signal; kill -CONT ${one.pid} lets it go on`];
    if (one.state !== 'D' || before.get(one.pid)?.state !== 'D') return [];
    return [`${one.name} (pid ${one.pid}) waits for a disk or a network file system (${one.waitsIn})`];
  });
  return [...said, ...fullDisks(lines), ...stuck, atWork(before, now, (net[1] ?? 0) - (net[0] ?? 0))];
}

function atWork(before: ReadonlyMap<string, Process>, now: ReadonlyMap<string, Process>, net: number): string {
  if (now.size === 0) return 'none of its processes was found';
  const sum = (of: (one: Process) => number) =>
    [...now.values()].reduce((total, one) => total + Math.max(0, of(one) - of(before.get(one.pid) ?? one)), 0);
  const [ticks, bytes] = [sum(({ ticks: count }) => count), sum(({ bytes: count }) => count)];
  if (ticks >= 5 || bytes > 0)
    return `its processes are at work without telling: ${(ticks / 100).toFixed(2)} s of CPU, ${formatBytes(bytes)} read or written within a second`;
  const names = [...new Set([...now.values()].map(({ name }) => name))].join(', ');
  const network = net < 10_000 ? 'is idle' : `moves ${formatBytes(net)}/s`;
  return `its processes (${names}) wait; the network of the host ${network}`;
}

function processes(lines: readonly string[], which: 'a' | 'b'): Map<string, Process> {
  const found = lines.flatMap((line): Process[] => {
    const [, pid, state, ticks, bytes, waitsIn, name] =
      new RegExp(`^${which} (\\d+) (\\S) (\\d+) (\\d+) (\\S*) (.*)$`).exec(line) ?? [];
    if (!pid || !state) return [];
    return [{ pid, state, ticks: Number(ticks), bytes: Number(bytes), waitsIn: waitsIn || 'unknown', name: name ?? '' }];
  });
  return new Map(found.map((one) => [one.pid, one]));
}

/** Disks without room; an image that is mounted read-only is always full. */
function fullDisks(lines: readonly string[]): string[] {
  return lines.flatMap((line) => {
    const [, device, used, mount] = /^df (\S+) +\d+ +\d+ +\S+ +(\d+)% +(.+)$/.exec(line) ?? [];
    if (!device || Number(used) < 99 || /^\/dev\/loop|^squashfs/.test(device)) return [];
    return [`${mount} is full (${used} % used)`];
  });
}
