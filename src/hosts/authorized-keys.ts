import { FERRY_DIR, runDir, SECRETS_DIR } from './layout.ts';
import { type Sh, sh } from './sh.ts';

/** Names the keys of a run in an authorized_keys file; a step and an attempt follow. */
export function keyMarker(run: string): string {
  return `ferry:${run}:`;
}

/** Where a run says which authorized_keys files it has edited on a host. */
function listOf(run: string): string {
  return `${runDir(run)}/authorized-keys`;
}

/** Takes the lock that every edit of an authorized_keys file holds, as file 7. */
export const LOCK_KEYS: Sh = sh`exec 7>>${`${FERRY_DIR}/authorized_keys.lock`}; flock -x 7`;

/** Puts the file named by `$a` on record, before the first key gets into it: whoever ends the run finds the key by that. */
export function recordKeyFile(run: string): Sh {
  return sh`printf '%s\\n' "$a" >>${listOf(run)}; sync ${listOf(run)}`;
}

/** Takes the lines with a marker out of the file named by `$a`; one that was made for them goes when nothing else is in it. */
export function dropKeyLines(marker: string): Sh {
  return sh`t="$a.ferry"; rm -f -- "$t"
if [ -e "$a" ] && grep -qF ${marker} "$a"; then made=$(grep -cF ${`# made for ${marker}`} "$a" || :)
cp -a -- "$a" "$t"; grep -vF ${marker} "$a" >"$t" || :
if [ "$made" -gt 0 ] && [ ! -s "$t" ]; then rm -f -- "$t" "$a"; else sync "$t"; mv -fT -- "$t" "$a"; fi; fi`;
}

/** Leaves nothing on a host by which a transfer of the run could go on: no key, no line that lets one in, no forced command. */
export function forgetKeysOfRun(run: string): Sh {
  return sh`if [ -e ${listOf(run)} ]; then ( ${LOCK_KEYS}; sort -u ${listOf(run)} | while IFS= read -r a; do ${dropKeyLines(keyMarker(run))}; done ) && rm -f ${listOf(run)}; fi
rm -rf -- ${`${SECRETS_DIR}/${run}/transfer`}; rmdir ${`${SECRETS_DIR}/${run}`} 2>/dev/null || :`;
}
