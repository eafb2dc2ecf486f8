import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FerryError } from '../errors/ferry-error.ts';

export interface Starter {
  readonly name: string;
  readonly about: string;
  readonly text: string;
}

/** The files somebody new begins with: a runbook that can be run and taken back as it is, and an inventory for it. */
export function starterFiles(schemaFolder: string): readonly Starter[] {
  const schema = (name: string) => `# yaml-language-server: $schema=${join(schemaFolder, `${name}.schema.json`)}`;
  return [
    {
      name: 'runbook.yaml',
      about: 'a first runbook to change: looks at a machine and leaves a note',
      text: `${schema('runbook')}
# An editor that knows yaml-language-server completes and explains what stands here.
ferry: 1
name: first-steps
title: Look at a machine and leave a note
inputs: # what differs from run to run:  --input author=DBA
  author: { type: string, default: Ferry, description: Who leaves the note }
roles: # the machines, by what they are to this runbook; the inventory says which host each one is
  app: { description: The machine the note is left on }
steps: # done in this order;  ferry actions  lists what a step can do
  - id: look
    title: Ask the machine what it is
    host: app
    uses: command.run
    with: { argv: [uname, -sr], readOnly: true }
  - checkpoint: looked #  ferry run --until looked  stops here,  ferry resume  goes on
  - id: note
    title: Leave a note
    host: app
    uses: file.put #  ferry rollback  removes the file again
    with:
      path: /root/ferry-was-here
      # What an earlier step found out may stand here too:  steps.look.outputs.stdout
      content: "\${{ inputs.author }} was here.\\n"
      mode: "0644"
`,
    },
    {
      name: 'inventory.yaml',
      about: 'the hosts: this machine to begin with',
      text: `${schema('inventory')}
ferry: 1
hosts:
  here: { connection: local } # this machine; as another user than root it needs sudo without a password
  # Machines reached over ssh, as root or as a user with sudo; what is not said comes from ~/.ssh/config.
  # app1: { address: app1.example.com, user: admin, port: 22 }
roles: # role of a runbook: host
  app: here
`,
    },
  ];
}

/**
 * Writes each file that is not there yet, and never touches one that is.
 * @throws FILE_UNWRITABLE
 */
export async function writeStarter(folder: string, files: readonly Starter[]): Promise<{ name: string; written: boolean }[]> {
  const done = [];
  await orUnwritable(folder, () => mkdir(folder, { recursive: true }));
  for (const { name, text } of files) {
    const path = join(folder, name);
    const written = await orUnwritable(path, async () => {
      try {
        await writeFile(path, text, { flag: 'wx' });
        return true;
      } catch (thrown) {
        if ((thrown as NodeJS.ErrnoException).code === 'EEXIST') return false;
        throw thrown;
      }
    });
    done.push({ name, written });
  }
  return done;
}

async function orUnwritable<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    const { code, message } = thrown as NodeJS.ErrnoException;
    const reasons: Record<string, string> = {
      EACCES: 'permission denied',
      EEXIST: 'it is no folder',
      ENOTDIR: 'it is in no folder',
    };
    throw new FerryError('FILE_UNWRITABLE', { file: path, why: reasons[code ?? ''] ?? message }, { cause: thrown });
  }
}
