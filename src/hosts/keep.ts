import { asUser } from './as-user.ts';
import { guard } from './effect-scripts.ts';
import { type AttemptId, keepPath } from './layout.ts';
import { joinSh, type Sh, sh } from './sh.ts';

/** Bytes to keep on one host: a file or folder as it is, or what a command prints. */
export interface KeepRequest {
  readonly name: string;
  readonly path?: string;
  readonly print?: Sh;
  /** The user who runs `print`; root unless given. */
  readonly as?: string;
}

/**
 * A script that keeps bytes of a step, once per run, step and generation: temp, fsync, no-clobber rename. It passes the guard of its
 * attempt, and who comes second waits for the first. What is not there is kept as `NAME.absent`. Owner, mode and times are kept with a file. Prints `kept NAME SHA256|absent|folder|link` a line each.
 */
export function keepScript(id: AttemptId, requests: readonly KeepRequest[], generation: number): Sh {
  const { run, step } = id;
  const one = ({ name, path, print, as = 'root' }: KeepRequest): Sh => {
    const target = keepPath(run, step, name, generation);
    const source = print ? sh`( ${asUser(as, print)} ) >"$T"` : sh`cp -a -- ${path ?? ''} "$T"`;
    const missing = print ? sh`false` : sh`[ ! -e ${path ?? ''} ] && [ ! -L ${path ?? ''} ]`;
    return sh`K=${target}; T="$K.new"
if [ ! -e "$K" ] && [ ! -L "$K" ] && [ ! -e "$K.absent" ]; then rm -rf -- "$T"
if ${missing}; then true >"$K.absent"; else ${source} && { [ -L "$T" ] || sync -f "$T"; } && mv -nT -- "$T" "$K" || { echo "$K could not be kept" >&2; exit 1; }; fi; fi
if [ -L "$K" ]; then echo "kept "${name}" link"; elif [ -f "$K" ]; then echo "kept "${name}" $(sha256sum <"$K" | cut -d' ' -f1)"; elif [ -d "$K" ]; then echo "kept "${name}" folder"; elif [ -e "$K.absent" ]; then echo "kept "${name}" absent"; fi`;
  };
  const folder = keepPath(run, step, '', generation);
  return sh`umask 077; ${guard(id)}
set -e; mkdir -p ${folder}; exec 8>>${`${folder}.lock`}; flock -x 8; ${joinSh(requests.map(one))}; sync -f ${folder}`;
}
