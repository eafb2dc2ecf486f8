/** Every exit code: for commands whose failure the action itself puts into words. */
export const ANY_CODE: readonly number[] = Array.from({ length: 256 }, (_, code) => code);
