/** Sets what every command of Ferry may rely on, whatever the login's profile says. */
export const PRELUDE = 'export LC_ALL=C PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"; cd /; umask 022; ';

/** The command that runs `command` as root for a login of `user`; sudo without a password prompt unless it is root already. */
export function becomeRoot(user: string, command: string): string {
  return user === 'root' ? `exec ${command}` : `exec sudo -n -- ${command}`;
}
