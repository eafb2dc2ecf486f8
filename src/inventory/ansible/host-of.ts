import { resolve } from 'node:path';
import type { Diagnostic } from '../../errors/diagnostic.ts';
import { finding, type Place } from '../../errors/finding.ts';
import type { WrittenHost } from '../inventory.ts';
import { resolvePath, shellWords } from '../paths.ts';
import type { Variable } from './tree.ts';

export interface HostContext {
  readonly name: string;
  readonly place: Place;
  /** All it has, inherited ones too. */
  readonly vars: ReadonlyMap<string, Variable>;
  /** Files encrypted by ansible-vault that may say more of it. */
  readonly vaults: readonly string[];
  /** What is wrong with its variable files. */
  readonly diagnostics: readonly Diagnostic[];
  readonly folder: string;
  readonly home: string;
}

// Of each line the last that is set holds, as in Ansible's ssh plugin.
const NAMES = {
  host: ['ansible_host', 'ansible_ssh_host'],
  port: ['ansible_port', 'ansible_ssh_port'],
  user: ['ansible_user', 'ansible_ssh_user'],
  key: ['ansible_private_key_file', 'ansible_ssh_private_key_file'],
  become: ['ansible_become'],
  becomeUser: ['ansible_sudo_user', 'ansible_become_user'],
  becomeMethod: ['ansible_become_method'],
  connection: ['ansible_connection'],
  // Ferry's own, for a host whose neighbours know it by another name than the one ssh is given.
  address: ['ferry_name'],
};
const PASSWORDS = ['ansible_password', 'ansible_ssh_pass', 'ansible_ssh_password'];
const SUDO_PASSWORDS = ['ansible_become_pass', 'ansible_become_password', 'ansible_sudo_pass'];
const SSH_CONNECTIONS = ['ssh', 'smart', 'paramiko', 'paramiko_ssh'];

/** What Ferry takes from the variables of one Ansible host; what it cannot do as Ansible would is among the refusals. */
export function hostOf(context: HostContext): WrittenHost {
  const refusals = [...context.diagnostics];
  const { name, place, vars } = context;
  const refuse = (variable: string, value: string, why: string) =>
    refusals.push(
      finding('INVENTORY_VALUE_UNSUPPORTED', { variable, value, host: name, why }, vars.get(variable)?.place ?? place),
    );
  const read = (names: readonly string[]): { variable: string; text: string } | null => {
    const variable = names.findLast((each) => isGiven(vars.get(each)));
    const value = variable === undefined ? undefined : vars.get(variable)?.value;
    if (variable === undefined || value === null || value === undefined) return null;
    if (typeof value === 'object') {
      refuse(variable, Array.isArray(value) ? 'a list' : 'a map', 'it should be one value');
      return null;
    }
    const text = fill(String(value), context);
    if (text === null) {
      const vault = String(value).startsWith('$ANSIBLE_VAULT;');
      refuse(
        variable,
        vault ? 'encrypted' : String(value),
        vault ? 'Ferry opens no vault' : 'Ferry fills in plain variables only, such as {{ inventory_hostname }}',
      );
      return null;
    }
    return { variable, text };
  };
  const [host, port, user, key] = [read(NAMES.host), read(NAMES.port), read(NAMES.user), read(NAMES.key)];
  const connection = read(NAMES.connection);
  const kind = connection?.text.replace(/^ansible\.(builtin|posix|legacy)\./, '') ?? 'ssh';
  const isLocal = kind === 'local';
  if (connection && !isLocal && !SSH_CONNECTIONS.includes(kind))
    refuse(connection.variable, connection.text, 'Ferry goes by ssh or local');
  const number = Number(port?.text);
  if (port && !(Number.isInteger(number) && number > 0 && number < 65_536))
    refuse(port.variable, port.text, 'a port is a number from 1 to 65535');
  if (!isLocal && context.vaults[0] !== undefined && (!host || !user)) {
    const at = { at: { file: context.vaults[0], line: 1, column: 1 }, length: 1 };
    refusals.push(
      finding(
        'INVENTORY_VAULTED',
        {
          host: name,
          file: context.vaults[0],
          missing: [...(host ? [] : ['ansible_host']), ...(user ? [] : ['ansible_user'])].join(' and '),
        },
        at,
      ),
    );
  }
  refuseBecome(user?.text, read, refuse);
  refusePasswords(context, isLocal, user?.text === 'root', refusals);
  const before = sshWords(read(['ansible_ssh_args']), refuse);
  const after = [...sshWords(read(['ansible_ssh_common_args']), refuse), ...sshWords(read(['ansible_ssh_extra_args']), refuse)];
  // Ansible takes the path from the folder it is called in.
  const file = key && resolvePath(key.text, resolve(), context.home);
  const target = host?.text ?? name;
  const address = read(NAMES.address)?.text ?? (isLocal && !/^(localhost|127\..*|::1)$/.test(target) ? target : undefined);
  return {
    connection: isLocal ? 'local' : 'ssh',
    target,
    place,
    refusals,
    ...(address === undefined ? {} : { address }),
    sshWords: [
      ...before,
      ...(port ? ['-p', port.text] : []),
      ...(file ? ['-o', `IdentityFile="${file}"`] : []),
      ...(user ? ['-l', user.text] : []),
      ...after,
    ],
  };
}

type Given = { variable: string; text: string } | null;
type Refuse = (variable: string, value: string, why: string) => void;

function refuseBecome(user: string | undefined, read: (names: readonly string[]) => Given, refuse: Refuse): void {
  const [become, becomeUser, method] = [read(NAMES.become), read(NAMES.becomeUser), read(NAMES.becomeMethod)];
  if (become && /^(no|false|off|n|f|0)$/i.test(become.text) && user !== undefined && user !== 'root')
    refuse(become.variable, become.text, `Ferry works as root, and ${user} becomes root by sudo`);
  if (becomeUser && becomeUser.text !== 'root')
    refuse(becomeUser.variable, becomeUser.text, 'Ferry becomes root and nobody else');
  if (method && !/^(ansible\.builtin\.)?sudo$/.test(method.text))
    refuse(method.variable, method.text, 'Ferry becomes root by sudo');
}

function refusePasswords({ name, vars, place }: HostContext, isLocal: boolean, isRoot: boolean, refusals: Diagnostic[]): void {
  for (const variable of [...(isLocal ? [] : PASSWORDS), ...(isRoot ? [] : SUDO_PASSWORDS)]) {
    const given = vars.get(variable);
    if (!isGiven(given)) continue;
    const sudo = SUDO_PASSWORDS.includes(variable) ? 1 : 0;
    refusals.push(finding('INVENTORY_PASSWORD_FOUND', { variable, host: name, sudo }, given?.place ?? place));
  }
}

function isGiven(variable: Variable | undefined): boolean {
  return variable !== undefined && variable.value !== null && variable.value !== '';
}

function sshWords(given: Given, refuse: Refuse): string[] {
  if (given === null) return [];
  const words = shellWords(given.text);
  if (words === null) refuse(given.variable, given.text, 'a quote is left open');
  return words ?? [];
}

/** Fills in `{{ name }}` for plain variables of the host; null where more than that is asked. */
function fill(text: string, context: HostContext, depth = 0): string | null {
  if (text.startsWith('$ANSIBLE_VAULT;') || depth > 10) return null;
  let known = true;
  const filled = text.replaceAll(/\{\{\s*(\w+)\s*\}\}/g, (_whole, name: string) => {
    const value = magic(name, context) ?? context.vars.get(name)?.value;
    const inner = typeof value === 'string' ? fill(value, context, depth + 1) : typeof value === 'number' ? String(value) : null;
    known &&= inner !== null;
    return inner ?? '';
  });
  return known && !/\{[{%#]/.test(filled) ? filled : null;
}

function magic(name: string, { name: host, folder }: HostContext): string | undefined {
  if (name === 'inventory_hostname') return host;
  if (name === 'inventory_hostname_short') return host.split('.')[0];
  return name === 'inventory_dir' ? folder : undefined;
}
