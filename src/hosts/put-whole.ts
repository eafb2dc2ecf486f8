import { type Sh, sh } from './sh.ts';

/**
 * A piece of script that puts what `print` prints into a file, which is on disk under its name when this succeeds. Where it cannot be
 * written whole, as on a full disk, it fails, and what was under that name stays. `file` is one word of shell text.
 */
export function putWhole(file: Sh, print: Sh): Sh {
  return sh`{ W=${file}; { ${print}; } >"$W.new" && sync "$W.new" && mv -f -- "$W.new" "$W" && sync "\${W%/*}" || { rm -f -- "$W.new"; false; }; }`;
}
