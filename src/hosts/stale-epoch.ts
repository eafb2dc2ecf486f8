import { FerryError } from '../errors/ferry-error.ts';
import { FERRY_DIR } from './layout.ts';
import { type Sh, sh } from './sh.ts';

/** A piece of script that goes no further, with `stale EPOCH HOLDER`: `$E` is the epoch of the controller that has the run, `gone` for none. */
export function endStale(run: string): Sh {
  return sh`{ echo "stale $E $(sed -n ${`s/^${run} \\([^ ]*\\) .*/\\1/p`} ${`${FERRY_DIR}/lease`} 2>/dev/null)"; exit 0; }`;
}

/** What comes of it; `rest` stands after the word. */
export function staleError(host: string, id: { readonly run: string; readonly epoch: number }, rest: string) {
  const [theirs = '', by = ''] = rest.trim().split(' ');
  return new FerryError('EPOCH_STALE', { host, run: id.run, ours: id.epoch, theirs, by });
}
