import type { Diagnostic } from '../errors/diagnostic.ts';
import type { Place } from '../errors/finding.ts';

/** How Ferry logs in to one machine, complete and ready to connect. Paths are absolute. */
export interface HostSettings {
  /** The name in the inventory; of a jump host that is not in it, the name in the ssh configuration. */
  readonly name: string;
  /** Where Ferry connects to. */
  readonly hostName: string;
  readonly port: number;
  readonly user: string;
  /** The name or address under which the other hosts reach it; `hostName` unless given. */
  readonly address: string;
  readonly identityFiles: readonly string[];
  /** Keys of the agent that are not among `identityFiles` are not offered. */
  readonly identitiesOnly?: boolean;
  /** Path of the agent's socket, or null. */
  readonly agent: string | null;
  /** In the order they are looked in; the first is the one a hint names. */
  readonly knownHostsFiles: readonly string[];
  /** The name its key stands under in known_hosts, where that is not its `hostName` and port. */
  readonly hostKeyAlias?: string;
  readonly connection: 'ssh' | 'local';
  /** The machine the connection goes through; it may go through another itself. */
  readonly via?: HostSettings;
}

/** A host as its inventory writes it, whatever the format; what is absent is left to the ssh configuration. */
export interface WrittenHost {
  readonly connection: 'ssh' | 'local';
  /** The name ssh would be given: the one whose settings are looked up. */
  readonly target: string;
  /** Where Ferry connects to, whatever the ssh configuration says. */
  readonly hostName?: string;
  /** The name or address under which the other hosts reach it. */
  readonly address?: string;
  readonly user?: string;
  readonly port?: number;
  /** Absolute paths; they stand instead of those of the ssh configuration. */
  readonly identityFiles?: readonly string[];
  /** A host of this inventory, or what ssh takes as ProxyJump; `none` for no jump. */
  readonly jump?: string;
  /** Further words the inventory gives to ssh. */
  readonly sshWords?: readonly string[];
  readonly place: Place;
  /** What keeps Ferry from using the host. It is told when the host is needed: an inventory may well hold others. */
  readonly refusals: readonly Diagnostic[];
}

export interface SourceText {
  readonly path: string;
  readonly text: string;
}

/** The machines an inventory names, as it names them. */
export interface Inventory {
  readonly file: string;
  readonly hosts: ReadonlyMap<string, WrittenHost>;
  /** Role name -> host names, as the inventory's `roles` gives it. */
  readonly roles: ReadonlyMap<string, readonly string[]>;
  /** Group name -> host names, those of its child groups too. */
  readonly groups: ReadonlyMap<string, readonly string[]>;
  /** Absolute paths; null leaves them to the ssh configuration. */
  readonly knownHosts: readonly string[] | null;
  /** The file that is read instead of ~/.ssh/config and the system's; null for those. */
  readonly sshConfig: string | null;
  readonly sources: readonly SourceText[];
}

/** What reading an inventory needs of the world. */
export interface InventorySurroundings {
  readFile(path: string): Promise<string | Uint8Array>;
  /** The names in a folder; empty when there is none. */
  readFolder(path: string): Promise<readonly string[]>;
  /** The home folder whose .ssh is used: the account's, as ssh takes it, whatever HOME says. */
  readonly home: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export type Loaded =
  | { readonly inventory: Inventory }
  | { readonly diagnostics: readonly Diagnostic[]; readonly sources: readonly SourceText[] };
