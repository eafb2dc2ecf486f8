import { shellWords } from './paths.ts';

/** A machine to go through, as ssh is asked about it. */
export interface Hop {
  /** Its name without user and port. */
  readonly name: string;
  readonly target: string;
  /** Options before the target. */
  readonly words: readonly string[];
}

/** The hops of a ProxyJump value, `[user@]host[:port]` or ssh:// addresses between commas; the first is gone through first. */
export function hopsOf(proxyJump: string | null): Hop[] {
  if (proxyJump === null || proxyJump.toLowerCase() === 'none') return [];
  return proxyJump.split(',').map((written) => {
    const [, user, bracketed, plain = '', port] =
      /^(?:ssh:\/\/)?(?:(.*)@)?(?:\[([^\]]+)\]|([^:/]*))(?::(\d+))?\/?$/.exec(written.trim()) ?? [];
    const name = bracketed ?? (plain || written.trim());
    return { name, target: name, words: [...(user ? ['-l', user] : []), ...(port ? ['-p', port] : [])] };
  });
}

/**
 * The hop that a ProxyCommand of the form `ssh [OPTIONS] -W %h:%p HOST` means; it does what ProxyJump does and is older. Null
 * for any other command.
 */
export function jumpOf(proxyCommand: string): Hop | null {
  if (/[;|&<>$`(){}*?!~]/.test(proxyCommand)) return null;
  const words = shellWords(proxyCommand.replace(/^exec\s+/, ''));
  if (!words || !/(^|\/)ssh$/.test(words[0] ?? '')) return null;
  const options: string[] = [];
  let forwards = false;
  let target: string | undefined;
  for (let index = 1; index < words.length; index += 1) {
    const word = words[index] ?? '';
    if (/^-[qTaxn]*W$/.test(word)) {
      forwards = /^\[?%h\]?:%p$/.test(words[(index += 1)] ?? '');
      if (!forwards) return null;
    } else if (/^-[oilpFJ]$/.test(word)) options.push(word, words[(index += 1)] ?? '');
    else if (/^-[oilpFJ]./.test(word)) options.push(word);
    else if (/^-[qTaxnC46v]+$/.test(word)) continue;
    else if (word.startsWith('-') || target !== undefined) return null;
    else target = word;
  }
  if (!forwards || target === undefined || [...options, target].some((word) => word.includes('%'))) return null;
  return { name: target.replace(/^.*@/, ''), target, words: options };
}
