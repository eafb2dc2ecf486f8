import { describe, expect, it } from 'vitest';
import type { Action } from '../../src/actions/action.ts';
import set from '../../src/actions/config/set.ts';
import put from '../../src/actions/file/put.ts';
import { absent, type Observed, value } from '../../src/facts/fact.ts';
import { contentOf } from '../../src/facts/file-content.ts';
import { somethingThere } from '../../src/facts/file-stat.ts';
import { Secret } from '../../src/hosts/secret.ts';
import { makePlan } from '../../src/plan/make-plan.ts';
import { planText } from '../../src/renderers/plan.ts';
import type { Step, Template } from '../../src/runbook/runbook.ts';
import { runbookOf, step } from '../kit/model-run.ts';
import { ModelWorld } from '../kit/model-world.ts';

// The new password is known to Ferry; the old one stands on the host, and nobody has told.
const NEW = 'canary-new-8c1f';
const OLD = 'canary-old-77aa';
const at = { file: 'model.yaml', line: 1, column: 1 };
const open = { mode: '0644', owner: 'root', group: 'root' };
const closed = { ...open, mode: '0600' };
const folder = value({ ...somethingThere, type: 'folder' });

const literal = (given: unknown): Template => ({ kind: 'literal', value: given as string, at });
const map = (entries: Record<string, Template>): Template => ({ kind: 'map', entries: Object.entries(entries), at });
const password: Template = { kind: 'expression', source: 'inputs.password', at };
const mixed: Template = { kind: 'expression', source: '"DSN=u/" + inputs.password', at };

/** A step of a real action. */
const real = (id: string, uses: string, params: Record<string, Template>): Step => ({ ...step(id, uses, {}), with: map(params) });

const steps = [
  real('whole', 'file.put', { path: literal('/w/a'), content: mixed }),
  real('keys', 'config.set', {
    path: literal('/w/b.conf'),
    set: map({ DB_PASSWORD: password, DSN: mixed, HOST: literal('new') }),
  }),
  real('text', 'file.put', { path: literal('/w/c'), content: literal('host=new\nother\n'), mode: literal('0644') }),
  real('closed', 'file.put', { path: literal('/w/d'), content: literal('host:new\n') }),
];
const found: Record<string, Observed<unknown>> = {
  'fileStat(/w)': folder,
  'fileContent(/w/a)': value(contentOf(`plain ${OLD}\n`, closed)),
  'fileContent(/w/b.conf)': value(contentOf(`DB_PASSWORD="${OLD}"\nDSN="u/former@h"\nHOST=old\nURL=pg://u:${OLD}@h\n`, closed)),
  'fileContent(/w/c)': value(contentOf(`host=old\npassword: ${OLD}\nurl=pg://u:${OLD}@h\nby chance ${NEW}\nother\n`, open)),
  'fileContent(/w/d)': value(contentOf(`old ${OLD}\nold:${OLD}\n`, closed)),
};

describe('a plan over files with passwords', () => {
  it('shows that they change and holds none of them, as JSON and as text', async () => {
    const actions = new Map<string, Action>([
      ['file.put', put],
      ['config.set', set],
    ]);
    const world = new ModelWorld();
    const plan = await makePlan({
      runbook: runbookOf(steps),
      actions,
      inputs: new Map([['password', new Secret(NEW, 'input:password')]]),
      roles: new Map([['a', world.info('a')]]),
      madeAt: 'now',
      read: async (_, refs) => refs.map(({ key }) => found[key] ?? absent),
    });
    expect(plan.blockers).toEqual([]);
    const text = planText(plan, { width: 120, colour: false });
    const told = JSON.stringify(plan) + text;
    expect(told).not.toContain(OLD);
    expect(told).not.toContain(NEW);
    expect(text).toContain('~ content [secret] (22 B) -> [another secret] (21 B)');
    expect(text).toContain('~ DB_PASSWORD="[secret]" -> "[another secret]"');
    expect(text).toContain('~ DSN="[secret]" -> "[another secret]"');
    expect(text).toContain('~ HOST=old -> "new"');
    expect(plan.lines[2]?.diff).toEqual([
      ['@', '@@ -1,5 +1,2 @@'],
      ['-', 'host=old'],
      ['-', 'password: [secret]'],
      ['-', 'url=pg://u:[secret]@h'],
      ['-', 'by chance [secret]'],
      ['+', 'host=new'],
      [' ', 'other'],
    ]);
    expect(plan.lines[3]?.diff.slice(1)).toEqual([
      ['-', '[secret]'],
      ['-', '[secret]'],
      ['+', '[another secret]'],
    ]);
  });
});
