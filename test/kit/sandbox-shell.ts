import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

// Programs that only look; of all others a stub takes the place, which writes down its arguments and does nothing.
const REAL =
  'sh env timeout cat head tail tr cut sed grep sort uniq base64 wc stat date id awk basename dirname sha256sum expr seq od paste comm cmp xargs'.split(
    ' ',
  );
const STUBS =
  'rm mv cp ln mkdir rmdir chown chmod chgrp touch tee dd install sync mktemp truncate tar find flock logger sleep kill ' +
  'systemctl systemd-run journalctl loginctl service apt-get apt apt-cache dpkg dpkg-query dnf yum rpm rpmquery dnf5 ' +
  'psql pg_dump pg_restore pg_isready pg_lsclusters pg_createcluster pg_ctlcluster pg_conftool pg_config postgresql-setup createdb locale locale-gen ' +
  'ssh ssh-keygen ssh-keyscan getent hostname hostnamectl ip ss df du findmnt mount umount curl wget nc hosted-engine python3 perl sudo runuser su getconf setpriv';

/** Writes down what it was called with; what only makes another user of us is done, without that. */
const stub = (log: string) => `#!/bin/sh
for a; do printf '%s\\0' "$a"; done >>${log}
case "\${0##*/}" in
runuser|sudo) while [ $# -gt 0 ] && [ "$1" != -- ]; do shift; done; shift; exec "$@" ;;
kill) exit 1 ;;
esac
exit 0
`;

/**
 * A place in which scripts run for real and can do nothing: as nobody where that can be had, with stubs for all that acts, and one
 * program, `mkcanary`, for hostile text to call.
 */
export class SandboxShell {
  readonly folder = mkdtempSync(join(tmpdir(), 'ferry-box-'));
  readonly #canary = join(this.folder, 'out', 'canary');
  readonly #log = join(this.folder, 'out', 'log');

  constructor() {
    const bin = join(this.folder, 'bin');
    chmodSync(this.folder, 0o755);
    mkdirSync(bin);
    mkdirSync(join(this.folder, 'out'));
    chmodSync(join(this.folder, 'out'), 0o777);
    for (const name of REAL) {
      const path = ['/usr/bin', '/bin'].map((folder) => join(folder, name)).find(existsSync);
      if (path) symlinkSync(path, join(bin, name));
    }
    for (const name of STUBS.split(' ')) writeFileSync(join(bin, name), stub(this.#log), { mode: 0o755 });
    // The one thing that can be done here.
    writeFileSync(join(bin, 'mkcanary'), `#!/bin/sh\n: >${this.#canary}\n`, { mode: 0o755 });
  }

  /** Runs scripts one after the other, each in a shell of its own, and gives every argument that a stub was called with. */
  run(scripts: readonly string[]): string[] {
    writeFileSync(this.#log, '');
    chmodSync(this.#log, 0o666);
    const files = scripts.map((text, index) => {
      const file = join(this.folder, `script-${index}`);
      // Ferry's own folders are in the box, so that no redirection ends a script early.
      writeFileSync(
        file,
        text.replaceAll('/var/lib/ferry', join(this.folder, 'out')).replaceAll('/run/ferry', join(this.folder, 'out')),
      );
      return file;
    });
    const isRoot = process.getuid?.() === 0;
    const { status, error, signal } = spawnSync(
      '/bin/sh',
      ['-c', 'for f; do timeout 5 sh "$f" </dev/null >/dev/null 2>&1; done; :', 'sh', ...files],
      {
        cwd: join(this.folder, 'out'),
        env: { PATH: join(this.folder, 'bin'), LC_ALL: 'C.UTF-8' },
        timeout: 60_000,
        ...(isRoot ? { uid: 65534, gid: 65534 } : {}),
      },
    );
    if (status !== 0) throw new Error(`the box ended with ${status} ${signal} ${error}`);
    return readFileSync(this.#log, 'utf8').split('\0').slice(0, -1);
  }

  get broken(): boolean {
    return existsSync(this.#canary);
  }

  mend(): void {
    rmSync(this.#canary, { force: true });
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
