import { sh } from '../hosts/sh.ts';
import { absent, defineFact, unreadable, value } from './fact.ts';

export interface Certificate {
  /** SHA-256 of it, as openssl writes it; null in predictions. */
  readonly fingerprint: string | null;
  /** Whom it is for: DNS names and IP addresses. */
  readonly names: readonly string[];
  /** When it ends, in whole seconds since 1970; null in predictions. */
  readonly endsAtS: number | null;
  /** Whether the key beside it is its own. */
  readonly fits: boolean;
}

/** The certificate in a PEM file, and whether a key in another file is its own. Absent when there is no such file. */
export const certificate = defineFact<[path: string, key: string], Certificate>({
  kind: 'certificate',
  class: 'state',
  script: (path, key) => sh`c=${path}; k=${key}; [ -e "$c" ] || exit 44
openssl x509 -in "$c" -noout -fingerprint -sha256 -enddate -ext subjectAltName || exit 1
[ "$(openssl x509 -in "$c" -noout -pubkey)" != "$(openssl pkey -in "$k" -passin pass: -pubout 2>/dev/null)" ] || echo fits`,
  parse({ code, stdout, stderr }) {
    if (code === 44) return absent;
    const fingerprint = /^sha256 fingerprint=(\S+)$/im.exec(stdout)?.[1];
    const ends = Date.parse(/^notAfter=(.+)$/m.exec(stdout)?.[1] ?? '');
    if (code !== 0 || fingerprint === undefined || Number.isNaN(ends))
      return unreadable(stderr.trim().split('\n')[0] || 'openssl cannot read it');
    const names = [...stdout.matchAll(/(?:DNS|IP Address):([^\s,]+)/g)].map(([, name = '']) => name);
    return value({ fingerprint, names, endsAtS: ends / 1000, fits: /^fits$/m.test(stdout) });
  },
  meets: (read, predicted) => read.fits === predicted.fits && predicted.names.every((name) => read.names.includes(name)),
  show(published) {
    const { names, fits } = published as unknown as Certificate;
    return `for ${names.join(', ') || 'nobody named'}${fits ? '' : ', not that of the key'}`;
  },
});
