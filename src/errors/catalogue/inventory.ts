import { entry } from '../entry.ts';

const suggest = (nearest: string, known: string) =>
  nearest ? `Did you mean "${nearest}"?` : known ? `Known hosts: ${known}.` : '';

/** Errors of inventory files, of ~/.ssh/config and of the choice of hosts. */
export const inventoryErrors = {
  INVENTORY_INVALID: entry<{ file: string; count: number }>({
    title: 'The inventory has errors',
    message: (a) => `${a.file} has ${a.count === 1 ? 'an error' : `${a.count} errors`}. No host was touched.`,
    exit: 65,
    example: { file: 'inventory.yaml', count: 2 },
  }),
  HOST_UNKNOWN: entry<{ host: string; nearest: string; known: string }>({
    title: 'The inventory has no such host',
    message: (a) => `The inventory has no host "${a.host}".`,
    hint: (a) => suggest(a.nearest, a.known),
    exit: 65,
    example: { host: 'newbd', nearest: 'newdb', known: 'engine, newdb' },
  }),
  ROLE_UNASSIGNED: entry<{ role: string; description: string; known: string; file: string }>({
    title: 'A role has no host',
    message: (a) => `No host is named for the role "${a.role}"${a.description ? ` (${a.description})` : ''}.`,
    hint: (a) =>
      `Add:  --role ${a.role}=HOST   or a line "${a.role}: HOST" under roles in ${a.file}. Hosts: ${a.known || 'none'}.`,
    exit: 64,
    example: { role: 'new_db', description: 'The new database server', known: 'engine, newdb', file: 'inventory.yaml' },
  }),
  ROLE_UNDECLARED: entry<{ role: string; nearest: string; known: string }>({
    title: 'The runbook has no such role',
    message: (a) => `The runbook has no role "${a.role}".`,
    hint: (a) => (a.nearest ? `Did you mean "${a.nearest}"?` : `It has: ${a.known}.`),
    exit: 64,
    example: { role: 'newdb', nearest: 'new_db', known: 'engine, new_db' },
  }),
  SSH_CONFIG_UNSUPPORTED: entry<{ directive: string; host: string }>({
    title: 'An ssh_config directive is not supported',
    message: (a) =>
      `The ssh configuration uses ${a.directive} for ${a.host}, which Ferry cannot follow yet; to connect without it would go somewhere else.`,
    hint: (a) =>
      `Give ${a.host} an "address", "user", "port" and "identityFile" in the inventory; then the ssh configuration is not read for it.`,
    exit: 65,
    example: { directive: 'ProxyJump', host: 'newdb' },
  }),
  SSH_CONFIG_INVALID: entry<{ why: string }>({
    title: 'The ssh configuration cannot be read',
    message: (a) => `The ssh configuration cannot be read: ${a.why}.`,
    exit: 65,
    example: { why: 'Port must be a number, got "ssh"' },
  }),
};
