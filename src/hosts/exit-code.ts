import { putWhole } from './put-whole.ts';
import { sh } from './sh.ts';

/**
 * Leaves `$r`, the exit code of the command in folder `$F`, in its file `rc`, whole or not at all; a mark beside, which needs no room,
 * tells a command whose code could not be written from one that died. Who reads asks by `-s`: an older release left an empty file.
 */
export const LEAVE_CODE = sh`${putWhole(sh`"$F/rc"`, sh`echo $r`)} || { true >"$F/unwritten"; false; }`;

/** What `whyLost` is told where there is something else than an exit code. */
export const UNREADABLE = 'written=no';

/** Reads what is in such a file; null when that is no exit code. */
export function parseExitCode(text: string): number | null {
  return /^\d{1,3}$/.test(text.trim()) ? Number(text) : null;
}
