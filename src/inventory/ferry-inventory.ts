import { dirname, resolve } from 'node:path';
import schema from '../../schemas/inventory.schema.json' with { type: 'json' };
import { checkSchema, schemaCompiler } from '../documents/check-schema.ts';
import type { SourceDocument } from '../documents/document.ts';
import { finding } from '../errors/finding.ts';
import { nearest } from '../lib/text.ts';
import type { Loaded, WrittenHost } from './inventory.ts';
import { resolvePath } from './paths.ts';

interface InFile {
  readonly knownHosts?: string | string[];
  readonly sshConfig?: string;
  readonly hosts: Record<string, HostInFile | null>;
  readonly roles?: Record<string, string | string[]>;
}
interface HostInFile {
  readonly address?: string;
  readonly name?: string;
  readonly user?: string;
  readonly port?: number;
  readonly identityFile?: string | string[];
  readonly jump?: string;
  readonly connection?: 'ssh' | 'local';
}

/** Reads an inventory of Ferry's own form. All errors are told at once. */
export function readFerryInventory(document: SourceDocument, home: string): Loaded {
  const diagnostics = checkSchema(document, document.value, schemaCompiler().compile(schema));
  const sources = [{ path: document.file, text: document.text }];
  if (diagnostics.length > 0) return { diagnostics, sources };
  const written = document.value as unknown as InFile;
  const known = Object.keys(written.hosts);
  for (const [role, hosts] of Object.entries(written.roles ?? {})) {
    for (const [index, host] of [hosts].flat().entries()) {
      if (known.includes(host)) continue;
      const args = { host, nearest: nearest(host, known) ?? '', known: known.join(', ') };
      diagnostics.push(finding('HOST_UNKNOWN', args, document.place(['roles', role, ...(Array.isArray(hosts) ? [index] : [])])));
    }
  }
  if (diagnostics.length > 0) return { diagnostics, sources };
  const folder = dirname(resolve(document.file));
  const place = (file: string) => resolvePath(file, folder, home);
  const hosts = Object.entries(written.hosts).map(([name, host]): [string, WrittenHost] => [
    name,
    {
      connection: host?.connection ?? 'ssh',
      target: host?.address ?? name,
      place: document.keyPlace(['hosts', name]),
      refusals: [],
      ...(host?.address === undefined ? {} : { hostName: host.address }),
      ...(host?.name === undefined ? {} : { address: host.name }),
      ...(host?.user === undefined ? {} : { user: host.user }),
      ...(host?.port === undefined ? {} : { port: host.port }),
      ...(host?.identityFile === undefined ? {} : { identityFiles: [host.identityFile].flat().map(place) }),
      ...(host?.jump === undefined ? {} : { jump: host.jump }),
    },
  ]);
  return {
    inventory: {
      file: document.file,
      hosts: new Map(hosts),
      roles: new Map(Object.entries(written.roles ?? {}).map(([role, on]) => [role, [on].flat()])),
      groups: new Map(),
      knownHosts: written.knownHosts === undefined ? null : [written.knownHosts].flat().map(place),
      sshConfig: written.sshConfig === undefined ? null : place(written.sshConfig),
      sources,
    },
  };
}
