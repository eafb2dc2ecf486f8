/** What stands in place of a value nobody may see. */
export const MASK = '[secret]';
/** What stands for the new value in a diff, so that it shows that a secret changes. */
export const OTHER_MASK = '[another secret]';

const SENSITIVE_KEY = /passw|passphrase|secret|token|credential|private|(^|[_.-])(pass|pwd|key|psk)($|[_.-])/i;
const SECRET_KEY = /passw|passphrase|secret|token/i;
const ASSIGNMENT = /^([\s#;]*(?:export\s+)?(?:- )?["']?)([A-Za-z0-9_.-]+)(["']?\s*[:=]\s*)(.*)$/;

/** Whether a value under this key is masked wherever a person could see it. Generous: a path to a key file is masked too. */
export function isSensitiveKey(key: string): boolean {
  return SENSITIVE_KEY.test(key);
}

/** Whether a value under this key is handed on as a secret: PASSWORD, SECRET, TOKEN and their like. */
export function isSecretKey(key: string): boolean {
  return SECRET_KEY.test(key);
}

/** Masks what looks like a secret inside a value: `password=x`, the password in a URL. */
export function maskValue(text: string): string {
  return replaceSecrets(text, () => MASK);
}

/** Masks a value and what it becomes, so that a secret inside which changes is seen to change. */
export function maskValues(before: string, after: string): [before: string, after: string] {
  const known = new Set<string>();
  const shown = replaceSecrets(before, (secret) => {
    known.add(secret);
    return MASK;
  });
  return [shown, replaceSecrets(after, (secret) => (known.size === 0 || known.has(secret) ? MASK : OTHER_MASK))];
}

function replaceSecrets(text: string, put: (secret: string) => string): string {
  return text
    .replace(
      /((?:passw(?:or)?d|passphrase|secret|token)["']?\s*[:=]\s*)("[^"]*"|'[^']*'|[^\s&;,"']+)/gi,
      (_, lead: string, secret: string) => lead + put(secret),
    )
    .replace(/(:\/\/[^\s/:@]*:)([^\s/@]+)(?=@)/g, (_, lead: string, secret: string) => lead + put(secret));
}

/**
 * The lines of a conf file with its secrets masked. In a file not everybody may read, only lines of the form `KEY=value`
 * are shown at all, since nobody can say what the others hold.
 */
export function maskLines(text: string, readableByAll: boolean): string[] {
  let inKey = false;
  return text.split('\n').map((line) => {
    if (/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(line)) inKey = true;
    const hidden = inKey;
    if (/-----END [A-Z ]*PRIVATE KEY-----/.test(line)) inKey = false;
    if (hidden) return MASK;
    const [, before = '', key, between = '', given = ''] = ASSIGNMENT.exec(line) ?? [];
    if (key !== undefined && isSensitiveKey(key)) return `${before}${key}${between}${given === '' ? '' : MASK}`;
    if (readableByAll || line.trim() === '') return maskValue(line);
    const bare = before.trim() === '' && /^\s*[A-Za-z0-9_]+=/.test(line);
    return bare ? maskValue(line) : MASK;
  });
}
