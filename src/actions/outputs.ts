import type { Secret } from '../hosts/secret.ts';
import type { Json } from '../lib/json.ts';

/** Stands for an output only apply will know; `hint` says what it will be, for the plan. */
export class Unknown {
  readonly hint: string;
  constructor(hint: string) {
    this.hint = hint;
  }
  toJSON(): { $unknown: string } {
    return { $unknown: this.hint };
  }
}

/** `unknown('sha256 of the dump')` */
export function unknown(hint: string): Unknown {
  return new Unknown(hint);
}

export type OutputValue = Json | Secret | Unknown | { [key: string]: OutputValue };

/** What a step hands to later steps, by name. */
export interface Outputs {
  readonly [name: string]: OutputValue;
}
