import { z } from 'zod';
import { Secret } from '../../hosts/secret.ts';
import { secretText } from '../params.ts';
import { type ConfValue, confFormat, FORMAT_NAMES } from './conf-format.ts';

/** The name of a key in a conf file; each format says more of it. */
export const keyName = () => z.string().regex(/^[^\s=][^\0\r\n=]*$/, 'write a key, or a path to one in YAML');

/** A value for a conf file: text, a secret, a whole number; in YAML also true and false. */
export const configValue = () => z.union([secretText(), z.int(), z.boolean()]);

/** The params that say how a file is written. */
export const formatParams = () => ({
  format: z
    .enum(FORMAT_NAMES)
    .default('shell')
    .describe(
      'How the file is written. shell: KEY="value" lines, as oVirt and sysconfig have them. ini: sections with key=value lines, values as they stand; ' +
        'those of otopi take their type with them (bool:False). yaml: a key is a path such as datasources[0].url; a name with a dot in it stands in double quotes.',
    ),
  section: z
    .string()
    .regex(/^[^\0\r\n\]]+$/, 'write the name of a section without brackets')
    .optional()
    .describe('The section of an ini file, such as environment:default. Without it, what stands before the first.'),
});

interface Shape {
  readonly format: (typeof FORMAT_NAMES)[number];
  readonly section?: string | undefined;
}

/** Says of each key that its format cannot have where it stands. */
export function checkKeys<T extends Shape>(keysOf: (params: T) => readonly (readonly [at: string, key: string])[]) {
  return (params: T, context: z.RefinementCtx<T>): void => {
    if (params.section !== undefined && params.format !== 'ini')
      context.addIssue({ code: 'custom', path: ['section'], message: 'only an ini file has sections: set format: ini' });
    for (const [at, key] of keysOf(params)) {
      const wrong = confFormat(params).wrongKey(key);
      if (wrong !== null) context.addIssue({ code: 'custom', path: [at], message: `${key}: ${wrong}` });
    }
  };
}

export function plainValue(value: string | number | boolean | Secret): ConfValue {
  return value instanceof Secret ? value.reveal() : value;
}
