/** A database of one cluster, addressed as its step does. */
export interface DatabaseAt {
  readonly role: string;
  readonly port: number;
  readonly database: string;
}

/**
 * What a step does, in the words rules over a whole runbook are written in. `role` is a role of the step's own file. Values
 * that hang on expressions hold them as they are written, between `${{` and `}}`.
 */
export type Effect =
  | {
      readonly does: 'make-file';
      readonly role: string;
      readonly path: string;
      /** `new`: nobody else makes it; `copy`: it is elsewhere too; `given`: its content stands in the runbook, it may have been there. */
      readonly how: 'new' | 'copy' | 'given';
      /** Octal digits, when the step says. */
      readonly mode?: string;
      /** The param its content comes from, where the runbook writes it. */
      readonly content?: string;
    }
  /** Fails unless the file is there. */
  | { readonly does: 'need-file'; readonly role: string; readonly path: string }
  | { readonly does: 'remove-file'; readonly role: string; readonly path: string; readonly kept: boolean }
  /** `forGood`: also when they cannot come back. */
  | { readonly does: 'remove-package'; readonly role: string; readonly packages: readonly string[]; readonly forGood: boolean }
  | { readonly does: 'configure'; readonly role: string; readonly path: string; readonly keys: readonly string[] }
  | { readonly does: 'stop-unit'; readonly role: string; readonly unit: string; readonly forGood: boolean }
  | { readonly does: 'start-unit' | 'restart-unit'; readonly role: string; readonly unit: string }
  | { readonly does: 'set-maintenance'; readonly role: string; readonly mode: string }
  | ({ readonly does: 'dump' | 'restore'; readonly path: string } & DatabaseAt)
  | ({ readonly does: 'fence' | 'see-no-session' | 'draw-write-line' } & DatabaseAt)
  | ({ readonly does: 'make-database' } & DatabaseAt)
  /** Lets clients from the network in; `database` may be `all`. */
  | ({ readonly does: 'let-in' } & DatabaseAt)
  | { readonly does: 'have-cluster'; readonly role: string; readonly port: number }
  | { readonly does: 'tune'; readonly role: string; readonly port: number; readonly settings: readonly string[] }
  | ({ readonly does: 'compare'; readonly with: DatabaseAt } & DatabaseAt)
  /** Fails the run unless something works or answers. */
  | { readonly does: 'prove'; readonly role: string }
  | { readonly does: 'ask'; readonly role: string }
  | {
      readonly does: 'run-command';
      readonly role: string;
      /** Params every user of the machine can read while the command runs. */
      readonly open: readonly string[];
      readonly argv?: readonly string[];
      readonly shell?: string;
      readonly readOnly: boolean;
      /** Whether it can tell that it is done already, and whether Ferry knows how it is taken back. */
      readonly checked: boolean;
      readonly reversible: boolean;
    };
