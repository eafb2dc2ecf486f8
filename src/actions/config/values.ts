import { z } from 'zod';
import { Secret } from '../../hosts/secret.ts';
import { secretText } from '../params.ts';

/** The name of a key in a conf file. */
export const keyName = () => z.string().regex(/^\w+$/, 'write the name of a key: letters, digits and _');

/** A value for a conf file: text, a secret or a whole number. */
export const configValue = () => z.union([secretText(), z.int()]);

export function textOfValue(value: string | number | Secret): string {
  return value instanceof Secret ? value.reveal() : String(value);
}
