import { glob } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Action } from '../actions/action.ts';
import type { Json } from '../lib/json.ts';
import { actionSchema, type JsonSchema } from './action-schema.ts';

/** The folder that holds package.json. */
export const PROJECT = join(import.meta.dirname, '..', '..');

export interface FoundAction {
  /** `service.stop` */
  readonly name: string;
  /** From src/actions: `./service/stop.ts` */
  readonly path: string;
  readonly action: Action;
  readonly schema: JsonSchema;
}

/** One value for each param that some example gives; the first example counts most. */
function exampleOf(action: Action): Json {
  return Object.assign({}, ...action.examples.map((example) => example.with).reverse()) as Json;
}

/** All actions, by name: every file `src/actions/NOUN/VERB.ts` whose default export is one. Files that do not load are named. */
export async function findActions(
  project = PROJECT,
): Promise<{ actions: FoundAction[]; broken: { path: string; why: string }[] }> {
  const folder = join(project, 'src', 'actions');
  const actions: FoundAction[] = [];
  const broken: { path: string; why: string }[] = [];
  for await (const file of glob('*/*.ts', { cwd: folder })) {
    const name = file.replace(/\.ts$/, '').replace('/', '.');
    try {
      const module = (await import(pathToFileURL(join(folder, file)).href)) as { default?: Action };
      // Neighbours that several actions share have no default export.
      if (module.default && 'params' in module.default) {
        actions.push({
          name,
          path: `./${relative('.', file)}`,
          action: module.default,
          schema: actionSchema(name, module.default.params, exampleOf(module.default)),
        });
      }
    } catch (thrown) {
      broken.push({ path: file, why: (thrown as Error).message });
    }
  }
  return { actions: actions.sort((a, b) => (a.name < b.name ? -1 : 1)), broken };
}
