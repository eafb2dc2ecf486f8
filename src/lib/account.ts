import { userInfo } from 'node:os';

/** The name of the account this process runs as; `uid-54321` where there is none, as in many a container. */
export function accountName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid-${process.getuid?.() ?? 'unknown'}`;
  }
}
