import { entry } from '../entry.ts';

/** Errors of places in which somebody else may have had a hand. */
export const securityErrors = {
  HASH_KEY_BROKEN: entry<{ file: string; bytes: number; expected: number }>({
    title: 'The key that knows secrets again is none',
    message: (a) =>
      `${a.file}, by which Ferry knows the secrets of its runs again, has ${a.bytes} bytes and should have ${a.expected}. Nothing was changed.`,
    hint: (a) =>
      `mv ${a.file} ${a.file}.broken   and the same again: a new key is made, and secrets given from then on are not compared with earlier ones.`,
    exit: 64,
    example: { file: '~/.local/state/ferry/hash.key', bytes: 0, expected: 32 },
  }),
  STATE_DIR_UNSAFE: entry<{ path: string; why: string; look: string }>({
    title: 'The state folder is open to others',
    message: (a) => `${a.path} cannot be trusted with what Ferry remembers: ${a.why}. Nothing was read from it or changed.`,
    hint: (a) => `Look at it first:  ${a.look}   or name another:  --state-dir DIR`,
    exit: 64,
    example: {
      path: '~/.local/state/ferry',
      why: 'others may write there',
      look: 'ls -la ~/.local/state/ferry   and when all of it is yours:  chmod go-rwx ~/.local/state/ferry',
    },
  }),
  HOST_FOLDER_UNSAFE: entry<{ host: string; folder: string; why: string }>({
    title: "Ferry's folder on a host is open to others",
    message: (a) =>
      `${a.folder} on ${a.host}, where Ferry leaves what undo needs, cannot be trusted: ${a.why}. Nothing was changed there.`,
    hint: (a) =>
      `On ${a.host}:  ls -la ${a.folder}   and move it away when nothing in it is needed:  mv ${a.folder} ${a.folder}.old`,
    exit: 5,
    example: { host: 'newdb', folder: '/var/lib/ferry', why: 'it is a symbolic link' },
  }),
};
