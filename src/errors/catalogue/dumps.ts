import { entry } from '../entry.ts';

/** What a plan finds about a dump that is there already. */
export const dumpErrors = {
  DUMP_OTHER_FORMAT: entry<{ host: string; path: string; format: string; wanted: string }>({
    title: 'A dump is in another format',
    message: (a) => `The dump ${a.path} on ${a.host} is in ${a.format} format, and the step restores one in ${a.wanted} format.`,
    hint: (a) => `Write  format: ${a.format}  at the step.`,
    exit: 5,
    example: { host: 'newdb', path: '/root/engine.sql', format: 'plain', wanted: 'custom' },
  }),
  DUMP_BROKEN: entry<{ host: string; path: string; why: string }>({
    title: 'A dump cannot be restored',
    message: (a) => `The dump ${a.path} on ${a.host} is no whole dump of one database: ${a.why}. Nothing was restored.`,
    hint: () => 'Make it anew with pg_dump, or copy it again, and see that its end is there:  tail -n 5 FILE',
    exit: 5,
    example: { host: 'newdb', path: '/root/engine.sql', why: 'it was cut' },
  }),
};
