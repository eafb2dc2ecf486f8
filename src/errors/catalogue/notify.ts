import { entry } from '../entry.ts';

/** Errors of the hooks that tell somebody what becomes of a run. */
export const notifyErrors = {
  NOTIFY_WRONG: entry<{ why: string }>({
    title: 'A notify hook cannot be used',
    message: (a) => `A hook of --notify or FERRY_NOTIFY cannot be used: ${a.why}. Nothing was done.`,
    hint: () => 'Write  cmd:/path/to/program  or  https://...;  with a token in it, where it stands:  env:VAR  or  file:PATH',
    exit: 64,
    example: { why: 'it is neither cmd:PATH nor https://...' },
  }),
};
