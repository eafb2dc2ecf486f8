import { type Sh, sh } from '../hosts/sh.ts';

/**
 * Shell that sets `h` to a hash of what a command prints, keyed with the machine's own ssh host key, or to `-` where there is
 * none. The key never leaves the machine, so the hash says whether two readings differ and is no oracle for guessing a password.
 */
export function keyedHash(print: Sh): Sh {
  return sh`k=; for c in ed25519 ecdsa rsa; do if [ -r "/etc/ssh/ssh_host_\${c}_key" ]; then k="/etc/ssh/ssh_host_\${c}_key"; break; fi; done
h=-; if [ -n "$k" ]; then h=$( { cat -- "$k"; ${print}; } | sha256sum ); h=$( { cat -- "$k"; printf %s "\${h%% *}"; } | sha256sum ); h=\${h%% *}; fi`;
}

/** The same of the file in `$f`. */
export const KEYED_HASH: Sh = keyedHash(sh`cat -- "$f"`);
