import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { execOn } from '../../lab/lab.ts';

/** A made-up package, as the stand-ins of dnf and rpm read it from their repository. */
export interface MadePackage {
  readonly name: string;
  readonly version: string;
  readonly release: string;
  readonly arch: 'noarch';
  readonly requires?: readonly string[];
  readonly recommends?: readonly string[];
  readonly files?: Readonly<Record<string, { readonly text: string; readonly config?: true | 'noreplace' }>>;
  readonly folders?: readonly string[];
  readonly post?: string;
  readonly preun?: string;
  readonly postun?: string;
}

const STAND_INS = join(import.meta.dirname, '..', '..', 'lab', 'stand-ins');
const HOME = '/srv/el-like';
/** First in the PATH of every command that Ferry gives. */
const BIN = '/usr/local/sbin';
const PROGRAMS = { 'dnf.py': 'dnf', 'rpm.py': 'rpm', 'rpm_kit.py': 'rpm_kit.py', 'postgresql-setup.py': 'postgresql-setup' };
/** What tells Ferry that a machine is Debian. */
const DEBIAN =
  'apt apt-get apt-cache apt-mark dpkg dpkg-query pg_lsclusters pg_ctlcluster pg_createcluster pg_conftool locale-gen'
    .split(' ')
    .map((name) => (name === 'locale-gen' ? `/usr/sbin/${name}` : `/usr/bin/${name}`))
    .join(' ');
const OS_RELEASE = 'NAME="Rocky Linux"\nVERSION="9.4"\nID="rocky"\nID_LIKE="rhel centos fedora"\nVERSION_ID="9.4"\n';
const LOOK = `findmnt -rno TARGET,FSTYPE; find /etc /usr /srv /opt /run/systemd/system /var/lib/pgsql -xdev 2>/dev/null | sort`;

/**
 * A lab host that looks like Enterprise Linux until it is given back: what Debian is known by is hidden, and stand-ins of dnf, rpm
 * and postgresql-setup are there in its place. Nothing of it lies on the host's disk but a folder in /srv.
 */
export class ElLikeHost {
  readonly #labDir: string;
  readonly #name: string;
  #before = '';

  constructor(labDir: string, name: string) {
    this.#labDir = labDir;
    this.#name = name;
  }

  /** Runs a script past Ferry and gives what it prints. */
  async run(script: string, input?: string): Promise<string> {
    const { code, stdout, stderr } = await execOn(this.#labDir, this.#name, script, input === undefined ? {} : { input });
    if (code !== 0) throw new Error(`${this.#name}: ${script} ended with exit code ${code}: ${stderr}`);
    return stdout.trim();
  }

  async make(): Promise<void> {
    this.#before = await this.run(LOOK);
    // With a script in /etc/init.d systemctl would have Debian's own tools enable the service.
    await this.run(`mkdir -p ${HOME}/repository && mount -t tmpfs el-like ${BIN} && mount -t tmpfs el-like /etc/init.d`);
    for (const [from, to] of Object.entries(PROGRAMS))
      await this.run(`cat >${BIN}/${to} && chmod 755 ${BIN}/${to}`, readFileSync(join(STAND_INS, from), 'utf8'));
    await this.run(`for p in postgres initdb psql pg_isready; do ln -s /usr/lib/postgresql/15/bin/$p ${BIN}/$p; done`);
    await this.run(`cat >${BIN}/os-release && mount --bind ${BIN}/os-release /etc/os-release`, OS_RELEASE);
    // What is no plain file is no command.
    await this.run(`for p in ${DEBIAN}; do [ ! -e $p ] || mount --bind /dev/null $p; done`);
  }

  /** Puts a package into the repository; the lists that were fetched before do not have it. */
  async offer(one: MadePackage): Promise<void> {
    await this.run(`cat >${HOME}/repository/${fileOf(one)}`, JSON.stringify(one));
  }

  /** Takes a package out of the repository. */
  async withdraw(one: MadePackage): Promise<void> {
    await this.run(`rm ${HOME}/repository/${fileOf(one)}`);
  }

  /** Gives the host back; tells what was refused because a stand-in does not play it, and what is there now that was not or the other way. */
  async unmake(): Promise<{ refused: string; left: string[] }> {
    const refused = await this.run(`cat ${HOME}/refused 2>/dev/null || :`);
    await this.run(
      `for p in ${DEBIAN} /etc/init.d /etc/os-release ${BIN}; do ! mountpoint -q $p || umount $p; done; rm -rf ${HOME}; systemctl daemon-reload`,
    );
    const [before, after] = [this.#before.split('\n'), (await this.run(LOOK)).split('\n')];
    const only = (a: string[], b: string[]) => a.filter((line) => !b.includes(line));
    return {
      refused,
      left: [...only(after, before).map((line) => `+${line}`), ...only(before, after).map((line) => `-${line}`)],
    };
  }
}

function fileOf({ name, version, release, arch }: MadePackage): string {
  return `${name}-${version}-${release}.${arch}.rpm`;
}
