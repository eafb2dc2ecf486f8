import { wholeStdin } from './effect-scripts.ts';
import { addRecords, epochCheck, type RecordsPart } from './journal-copy.ts';
import { type AttemptId, attemptDir, FERRY_DIR } from './layout.ts';
import { type Sh, sh } from './sh.ts';

/**
 * Makes an attempt's folder with the intent in it, after the run's records; both are on disk when it prints `opened`, or `exists`
 * when it was there already. Prints `stale EPOCH` where another controller has the run, and what `addRecords` says. On stdin
 * come the records, then the intent.
 */
export function openAttemptScript(id: AttemptId, records: RecordsPart | null, intent: string): Sh {
  const bytes = { records: Buffer.byteLength(records?.text ?? ''), intent: Buffer.byteLength(intent) };
  return sh`umask 077; ${wholeStdin(bytes.records + bytes.intent)}
A=${attemptDir(id)}; exec 9>>${`${FERRY_DIR}/lock`}; flock -s 9; ${epochCheck(id.run, id.epoch)}
mkdir -p "$A" || exit 1; exec 8>>"$A/intent.lock"; flock -x 8; cat >"$A/stdin" || exit 1
tail -c ${bytes.intent} "$A/stdin" >"$A/intent.new" && head -c ${bytes.records} "$A/stdin" >"$A/records" || exit 1
exec <"$A/records"; rm -f "$A/stdin" "$A/records"
${addRecords(records)}
[ -e "$A/intent.json" ] && { rm -f "$A/intent.new"; sync "$A" "\${A%/*}" && echo exists; exit; }
sync "$A/intent.new" && mv "$A/intent.new" "$A/intent.json" && sync "$A" "\${A%/*}" && echo opened`;
}
