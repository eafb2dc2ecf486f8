import { readFile } from 'node:fs/promises';
import type { AnyAuthMethod, ParsedKey } from 'ssh2';
import { FerryError } from '../errors/ferry-error.ts';
import type { HostSettings } from '../inventory/inventory.ts';

/**
 * The ways to log in, in the order they are tried: the agent, then each private key. `tried` names them for an error.
 * @throws IDENTITY_UNREADABLE when no way is left
 */
export async function loginMethods(
  settings: HostSettings,
  parseKey: (data: Buffer) => ParsedKey | Error,
): Promise<{ methods: AnyAuthMethod[]; tried: string[] }> {
  const methods: AnyAuthMethod[] = [];
  const tried: string[] = [];
  let trouble: { file: string; why: string } | undefined;
  if (settings.agent) {
    methods.push({ type: 'agent', username: settings.user, agent: settings.agent });
    tried.push('agent');
  }
  for (const file of settings.identityFiles) {
    const data = await readFile(file).catch((cause: NodeJS.ErrnoException) => cause);
    if (data instanceof Error) {
      trouble ??= { file, why: data.code === 'ENOENT' ? 'no such file' : data.message };
      continue;
    }
    const key = parseKey(data);
    if (key instanceof Error) {
      trouble ??= { file, why: /encrypted/i.test(key.message) ? 'it is encrypted' : key.message };
      continue;
    }
    methods.push({ type: 'publickey', username: settings.user, key: data });
    tried.push(`key ${file}`);
  }
  if (methods.length === 0) {
    throw new FerryError('IDENTITY_UNREADABLE', {
      host: settings.name,
      file: trouble?.file ?? '(none)',
      why: trouble?.why ?? 'no identityFile is named, none of the usual ones exists, and no agent runs',
    });
  }
  return { methods, tried };
}
