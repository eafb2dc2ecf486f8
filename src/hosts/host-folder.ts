import { FERRY_DIR } from './layout.ts';
import { type Sh, sh } from './sh.ts';

/**
 * Makes Ferry's folder on a host, 0700, before the first thing is written there. One in which somebody else could have put
 * something ends the script with `unsafe WHY`; one that others may merely read is closed to them.
 */
export const SECURE_FOLDER: Sh = sh`D=${FERRY_DIR}; [ -L "$D" ] && { echo "unsafe it is a symbolic link"; exit 0; }
[ -e "$D" ] || { mkdir -p -m 0700 "$D" && sync "\${D%/*}"; }; [ -d "$D" ] || { echo "unsafe it is no folder"; exit 0; }
[ "$(stat -c %u "$D")" = "$(id -u)" ] || { echo "unsafe it belongs to $(stat -c %U "$D")"; exit 0; }
[ -z "$(find "$D" -maxdepth 0 -perm /022)" ] || { echo "unsafe others may write there"; exit 0; }
[ -z "$(find "$D" -maxdepth 0 -perm /077)" ] || chmod 0700 "$D"`;
