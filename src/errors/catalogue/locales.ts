import { entry } from '../entry.ts';

/** Errors of making locales and certificates. */
export const localeErrors = {
  LOCALE_FAILED: entry<{ locales: string; host: string; why: string }>({
    title: 'Locales could not be made',
    message: (a) => `${a.locales} could not be made on ${a.host}:\n${a.why}`,
    hint: (a) => `On ${a.host}:  locale-gen   or:  dnf install glibc-langpack-en   shows more; then:  ferry resume`,
    exit: 1,
    example: {
      locales: 'en_US.UTF-8',
      host: 'newdb',
      why: 'cannot open locale definition file `en_US`: No such file or directory',
    },
  }),
};
