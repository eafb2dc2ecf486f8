import { mustRun } from './command.ts';
import { labFolder } from './folders.ts';
import { linkName, requireHost, requireLabState } from './lab-state.ts';

/** Cuts a host off the lab's network: packets vanish, open connections hang, as with a pulled cable. */
export const cutNetwork = (dir: string | undefined, host: string): Promise<void> => setLink(dir, host, 'down');

/** Plugs the cable in again; connections that outlived the cut go on. */
export const restoreNetwork = (dir: string | undefined, host: string): Promise<void> => setLink(dir, host, 'up');

async function setLink(dir: string | undefined, name: string, to: 'up' | 'down'): Promise<void> {
  const state = await requireLabState(labFolder(dir));
  const host = requireHost(state, name);
  await mustRun(['ip', 'link', 'set', linkName(state, host.name), to], {
    doing: `set the link of ${name} ${to}`,
    hint: 'ferry lab status',
  });
}
