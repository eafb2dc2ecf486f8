import type { HostSettings } from '../../src/inventory/inventory.ts';

/** The machine the tests run on, as an inventory would have it. */
export const localSettings: HostSettings = {
  name: 'here',
  hostName: 'localhost',
  port: 22,
  user: 'root',
  address: 'localhost',
  identityFiles: [],
  agent: null,
  knownHostsFiles: [],
  connection: 'local',
};
