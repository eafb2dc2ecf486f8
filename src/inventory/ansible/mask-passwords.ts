/** Puts stars over what looks like the value of a password, so that a text can be shown around an error. Places stay true. */
export function maskPasswords(text: string): string {
  return text.replaceAll(
    /(\w*(?:pass|passwd|password|passphrase|secret|token)\w*["']?[ \t]*[=:][ \t]*)([^\r\n]*?)(?=[ \t]+\w+=|\r?$)/gim,
    (_whole, before: string, value: string) => before + value.replaceAll(/\S/g, '*'),
  );
}
