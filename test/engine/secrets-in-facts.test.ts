import { describe, expect, it } from 'vitest';
import { factsSeen } from '../../src/engine/evidence.ts';
import { proveRollback } from '../../src/engine/proof.ts';
import type { RunContext } from '../../src/engine/run-context.ts';
import type { Observed } from '../../src/facts/fact.ts';
import { contentOf, type FileContent, fileContent } from '../../src/facts/file-content.ts';
import { Secret } from '../../src/hosts/secret.ts';
import { ModelRun, runbookOf, step } from '../kit/model-run.ts';

const SECRET = 'canary-S3cr3t-9';
const ref = fileContent('/etc/app.conf').on('a');

/** A file whose size shows as the same whatever its first lines are, so that the lines themselves are shown. */
const holding = (dsn: string, more = 'NOTE=nothing'): Observed<FileContent> => ({
  state: 'value',
  value: contentOf(`# the application\nDSN=engine:${dsn}:db\n${more}\n${'#'.repeat(5000)}\n`, {
    mode: '0640',
    owner: 'root',
    group: 'app',
  }),
});

/** Does something in a run that knows the secret as an input. */
async function knowing<T>(work: (context: RunContext) => Promise<T> | T): Promise<T> {
  const run = new ModelRun(runbookOf([step('edit', 'model.atomic', { key: 'x', value: 'y' })]), { 'a/x': 'z' });
  run.inputs.set('password', new Secret(SECRET, 'input:password'));
  await run.begin();
  let result: T | undefined;
  await run.inContext(async (context) => {
    result = await work(context);
    return { outcome: 'paused', error: null, exit: 0 };
  });
  return result as T;
}

describe('a known secret in a file that a person is shown', () => {
  it.each([
    ['as planned', SECRET, 'NOTE=nothing'],
    ['otherwise', SECRET, 'NOTE=by hand'],
  ])('is masked in the evidence of a step, where the file is %s', async (_, dsn, more) => {
    const [seen] = await knowing((context) => {
      const published = (observed: Observed<FileContent>) => context.published(ref.kind, observed);
      const before = { a: { [ref.key]: published(holding('none-so-far')) } };
      const change = { predicts: { a: { [ref.key]: published(holding(SECRET)) } } };
      return factsSeen(context, { before, change } as never, new Map([[ref, holding(dsn, more)]]));
    });
    expect(seen?.now).toContain(more === 'NOTE=nothing' ? 'DSN=engine:[secret]:db' : 'by hand');
    expect(JSON.stringify(seen)).not.toContain(SECRET);
  });

  it('is masked in the proof of a rollback', async () => {
    const { proof } = await knowing((context) => {
      context.state.baseline = { a: { [ref.key]: context.published(ref.kind, holding('none-so-far')) } };
      context.state.refs = { a: { [ref.key]: { kind: 'fileContent', args: ['/etc/app.conf'] } } };
      context.ports.factKind = async () => ref.kind;
      context.ports.read = async () => [holding(SECRET)];
      return proveRollback(context, undefined);
    });
    expect(proof[0]).toMatchObject({ verdict: 'differs', now: expect.stringContaining('DSN=engine:[secret]:db') });
    expect(JSON.stringify(proof)).not.toContain(SECRET);
  });
});
