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
  ROLE_OPTION_WRONG: entry<{ file: string; count: number }>({
    title: 'What was given with --role does not fit',
    message: (a) =>
      `--role has ${a.count === 1 ? 'an error' : `${a.count} errors`}, by the runbook and by ${a.file}. No host was touched.`,
    hint: () => '--role ROLE=HOST   with a role of the runbook and a host or group of the inventory.',
    exit: 64,
    example: { file: 'inventory.yaml', count: 1 },
  }),
  HOST_UNKNOWN: entry<{ host: string; nearest: string; known: string }>({
    title: 'The inventory has no such host',
    message: (a) => `The inventory has no host "${a.host}".`,
    hint: (a) => suggest(a.nearest, a.known),
    exit: 65,
    example: { host: 'newbd', nearest: 'newdb', known: 'engine, newdb' },
  }),
  ROLE_UNASSIGNED: entry<{ role: string; description: string; known: string; file: string; grouped: number }>({
    title: 'A role has no host',
    message: (a) =>
      `No host is named for the role "${a.role}"${a.description ? ` (${a.description})` : ''}${a.grouped > 1 ? `, and the group of that name has ${a.grouped}` : ''}.`,
    hint: (a) =>
      a.grouped > 1
        ? `Choose one:  --role ${a.role}=HOST   of ${a.known}.`
        : `Add:  --role ${a.role}=HOST   or a line "${a.role}: HOST" under roles in ${a.file}. Hosts: ${a.known || 'none'}.`,
    exit: 64,
    example: {
      role: 'new_db',
      description: 'The new database server',
      known: 'engine, newdb',
      file: 'inventory.yaml',
      grouped: 0,
    },
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
      `The ssh configuration uses ${a.directive} for ${a.host}, which Ferry cannot follow; to connect without it might reach or believe somebody else.`,
    hint: (a) =>
      a.directive === 'ProxyCommand'
        ? `Write the way as  ProxyJump [user@]host[:port]  , or give ${a.host} a "jump" in the inventory ("none" to go straight).`
        : `Put  ${a.directive} none  before it for ${a.host}, or give ${a.host} an "address", "user" and "identityFile" in the inventory; then the ssh configuration is not read for it.`,
    exit: 65,
    example: { directive: 'ProxyCommand', host: 'newdb' },
  }),
  SSH_CONFIG_INVALID: entry<{ why: string }>({
    title: 'The ssh configuration cannot be read',
    message: (a) => `ssh cannot read its configuration: ${a.why}.`,
    exit: 65,
    example: { why: 'no argument after keyword "hostname"' },
  }),
  SSH_JUMP_CIRCLE: entry<{ host: string; way: string }>({
    title: 'The jump hosts go in a circle',
    message: (a) => `The way to ${a.host} goes through ${a.way}, which is a circle.`,
    hint: () => 'Look at ProxyJump in the ssh configuration; the first machine of the way needs  ProxyJump none  .',
    exit: 65,
    example: { host: 'newdb', way: 'gate, newdb' },
  }),
  SSH_PROGRAM_MISSING: entry<{ host: string }>({
    title: 'The program ssh is missing',
    message: (a) =>
      `What the ssh configuration says of ${a.host} is asked of ssh itself (ssh -G), and there is no program ssh on the PATH.`,
    hint: (a) =>
      `Install the OpenSSH client, or give ${a.host} an "address", "user" and "identityFile" in the inventory; then it is not needed.`,
    exit: 65,
    example: { host: 'newdb' },
  }),
  INVENTORY_LINE_WRONG: entry<{ why: string }>({
    title: 'An Ansible inventory cannot be read',
    message: (a) => `The Ansible inventory cannot be read here: ${a.why}.`,
    exit: 65,
    example: { why: 'there is no group "db"' },
  }),
  INVENTORY_DYNAMIC: entry<{ file: string }>({
    title: 'The inventory is a program or needs a plugin',
    message: (a) => `${a.file} is an inventory that only Ansible can work out; Ferry reads those in INI and YAML.`,
    hint: (a) => `ansible-inventory -i ${a.file} --list --yaml > hosts.yml   and give Ferry that file.`,
    exit: 65,
    example: { file: 'aws_ec2.yml' },
  }),
  INVENTORY_VALUE_UNSUPPORTED: entry<{ variable: string; value: string; host: string; why: string }>({
    title: 'An Ansible variable asks for what Ferry cannot do',
    message: (a) => `${a.variable} of ${a.host} is ${a.value}, which Ferry cannot follow: ${a.why}.`,
    hint: (a) => `Give ${a.host} another ${a.variable}, or choose another host with --role.`,
    exit: 65,
    example: { variable: 'ansible_become_method', value: 'su', host: 'newdb', why: 'Ferry becomes root by sudo' },
  }),
  INVENTORY_PASSWORD_FOUND: entry<{ variable: string; host: string; sudo: number }>({
    title: 'An Ansible inventory holds a password',
    message: (a) =>
      `${a.variable} is set for ${a.host}. Ferry logs in by key${a.sudo ? ' and uses sudo without a password' : ''}; it takes no passwords from files.`,
    hint: (a) =>
      a.sudo
        ? 'Allow the user in sudoers (USER ALL=(ALL) NOPASSWD: ALL) or log in as root, and take the variable away.'
        : `ssh-copy-id to ${a.host}, and take the variable away.`,
    exit: 65,
    example: { variable: 'ansible_password', host: 'newdb', sudo: 0 },
  }),
  INVENTORY_VAULTED: entry<{ host: string; file: string; missing: string }>({
    title: 'Variables of a host are in a vault',
    message: (a) =>
      `${a.file} is encrypted by ansible-vault. Ferry opens no vault, and it may hold ${a.missing} of ${a.host}, which stands nowhere else.`,
    hint: (a) => `Write ${a.missing} for ${a.host} in a file that is not encrypted; then the vault is not needed.`,
    exit: 65,
    example: { host: 'newdb', file: 'group_vars/all/vault.yml', missing: 'ansible_user' },
  }),
};
