import { access, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { PROJECT } from './action-files.ts';

/** The two files a new step type begins with, by path: the action, and its table of tests. */
export function newActionFiles(name: string): Map<string, string> {
  const [noun = '', verb = ''] = name.split('.');
  if (!/^[a-z][a-z0-9-]*\.[a-z][a-z0-9-]*$/.test(name))
    throw new TypeError(`an action is named NOUN.VERB in small letters, not "${name}"`);
  const path = `${noun}/${verb}`;
  return new Map([
    [`src/actions/${path}.ts`, actionSource(name)],
    [`test/actions/${path}.test.ts`, testSource(name, path)],
  ]);
}

function actionSource(name: string): string {
  return `import { z } from 'zod';
import { fileContent } from '../../facts/file-content.ts';
import { sh } from '../../hosts/sh.ts';
import { change, defineAction, noChange } from '../action.ts';
import { absolutePath } from '../params.ts';

export default defineAction({
  summary: 'Say in one sentence what ${name} does.',
  undone: 'Say what there is after a rollback.',
  params: z.strictObject({
    path: absolutePath().describe('The file it is about.'),
  }),
  facts: ({ host }, params) => ({ file: fileContent(params.path).on(host.name) }),
  touches: (params, role) => ({ changes: [[role, fileContent.key(params.path)]] }),
  plan(params, facts) {
    if (facts.file.absent) return noChange(\`\${params.path} is not there\`);
    return change({
      summary: \`remove \${params.path}\`,
      predicts: [facts.file.becomesAbsent()],
      undo: { path: params.path },
      undoSummary: \`put \${params.path} back\`,
      keep: [{ name: 'file', host: facts.file.host, path: params.path }],
    });
  },
  async apply({ on, params }) {
    await on.change('remove', sh\`rm -f -- \${params.path}\`);
  },
  async rollback({ on, undo, ctx }) {
    await on.change('restore', sh\`cp -p -- \${ctx.kept(on.name, 'file')} \${undo.path}\`);
  },
  examples: [{ title: 'A file that is in the way', with: { path: '/etc/example.conf' } }],
});
`;
}

function testSource(name: string, path: string): string {
  return `import { expect, test } from 'vitest';
import action from '../../../src/actions/${path}.ts';

test.each([
  { given: { path: '/etc/example.conf' }, good: true },
  { given: { path: 'example.conf' }, good: false },
  { given: {}, good: false },
])('${name} takes only params it can work with: $given', ({ given, good }) => {
  expect(action.params.safeParse(given).success).toBe(good);
});
`;
}

if (import.meta.main) {
  const [name = ''] = process.argv.slice(2);
  for (const [path, text] of newActionFiles(name)) {
    const target = join(PROJECT, path);
    const taken = await access(target).then(
      () => true,
      () => false,
    );
    if (taken) throw new Error(`${path} is there already`);
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, text);
    process.stdout.write(`wrote  ${path}\n`);
  }
  process.stdout.write('Change both, then:  npm run generate\n');
}
