import { type Sh, sh } from './sh.ts';

/**
 * Runs a script as another user of the machine, in `/`, with LC_ALL=C and a bare environment; for a shell that is root.
 * stdin, stdout and stderr stay those of the caller, so a file only root may open can be handed over.
 */
export function asUser(user: string, script: Sh): Sh {
  return user === 'root' ? script : sh`runuser -u ${user} -- env -i LC_ALL=C PATH="$PATH" sh -c ${`cd /; ${script.text}`}`;
}
