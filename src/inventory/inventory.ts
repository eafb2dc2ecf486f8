/** One host as the inventory and ~/.ssh/config describe it, ready to connect. Paths are absolute. */
export interface HostSettings {
  /** The name in the inventory. */
  readonly name: string;
  /** Where Ferry connects to. */
  readonly hostName: string;
  readonly port: number;
  readonly user: string;
  /** The name or address under which the other hosts reach it; `hostName` unless given. */
  readonly address: string;
  readonly identityFiles: readonly string[];
  /** Path of the agent's socket, or null. */
  readonly agent: string | null;
  /** In the order they are looked in; the first is the one a hint names. */
  readonly knownHostsFiles: readonly string[];
  readonly connection: 'ssh' | 'local';
}

export interface Inventory {
  readonly file: string;
  readonly hosts: ReadonlyMap<string, HostSettings>;
  /** Role name -> host name, as the inventory's `roles` gives it. */
  readonly roles: ReadonlyMap<string, string>;
}
