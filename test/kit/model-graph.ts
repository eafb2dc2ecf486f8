import type { Json } from '../../src/lib/json.ts';
import type { Runbook, Step } from '../../src/runbook/runbook.ts';
import { spreadRunbook } from '../../src/runbook/spread.ts';
import { step as modelStep, runbookOf } from './model-run.ts';

/** Which of the model's effects stands for each step type: as many commands, as repeatable, as reversible. */
export const SHAPES: Readonly<Record<string, string>> = {
  'address.check': 'check',
  'certificate.make': 'atomic',
  'command.run': 'once',
  'config.read': 'check',
  'config.set': 'saving',
  'file.put': 'saving',
  'file.remove': 'lasting',
  'file.transfer': 'pair',
  'firewall.open': 'saving',
  'gate.confirm': 'gate',
  'http.check': 'check',
  'locale.generate': 'detached',
  'ovirt.backup': 'detached',
  'ovirt.history': 'check',
  'ovirt.maintenance': 'atomic',
  'ovirt.restore-backup': 'lengthy',
  'ovirt.sampling': 'check',
  'ovirt.setup': 'once',
  'ovirt.unpack-backup': 'saving',
  'package.install': 'detached',
  'package.match': 'check',
  'package.remove': 'lengthy',
  'port.check': 'check',
  'postgres.arrivals': 'check',
  'postgres.carry': 'partial',
  'postgres.cluster': 'detached',
  'postgres.compare': 'check',
  'postgres.connections': 'check',
  'postgres.database': 'keeping',
  'postgres.dump': 'detached',
  'postgres.extension': 'atomic',
  'postgres.freeze': 'partial',
  'postgres.hba': 'saving',
  'postgres.login': 'check',
  'postgres.read': 'check',
  'postgres.restore': 'detached',
  'postgres.role': 'saving',
  'postgres.settings': 'saving',
  'postgres.write-line': 'line',
  'prompt.answer': 'once',
  'service.read': 'check',
  'service.restart': 'once',
  'service.start': 'partial',
  'service.stop': 'partial',
};

/** Step types that change the same thing as others of their family on the same role: a unit is stopped and started again. */
const FAMILIES: Readonly<Record<string, string>> = {
  'ovirt.maintenance': 'mode',
  'service.start': 'unit',
  'service.stop': 'unit',
};

/** What is on the model's hosts before the run, so that undo has something to bring back. */
export interface ModelGraph {
  readonly runbook: Runbook;
  readonly cells: Readonly<Record<string, string>>;
  /** Cells to which something is added once, with what they then hold. */
  readonly addedOnce: Readonly<Record<string, string>>;
}

/**
 * A runbook with its steps, needs and checkpoints as they are and model effects in place of its actions; its roles are spread
 * over the model's two hosts; a role of many has three of them.
 */
export function modelGraph(written: Runbook): ModelGraph {
  const hosts = written.roles.map(({ name, many }) => [name, many ? ['h1', 'h2', 'h3'] : ['h']] as const);
  const { runbook } = spreadRunbook(written, new Map(hosts));
  const roles = [...new Set(runbook.steps.map(({ role }) => role))];
  const hostOf = (role: string): string => (roles.indexOf(role) % 2 === 0 ? 'a' : 'b');
  const cells: Record<string, string> = {};
  const addedOnce: Record<string, string> = {};
  const steps = runbook.steps.map((one, index): Step => {
    const shape = SHAPES[one.uses];
    if (!shape) throw new Error(`no shape for ${one.uses}`);
    const host = hostOf(one.role);
    const key = FAMILIES[one.uses] ? `${FAMILIES[one.uses]}-${one.role}` : `k${index}`;
    const value = `v${index}`;
    if (shape !== 'keeping') cells[`${host}/${key}`] = 'before';
    if (['detached', 'lengthy', 'once'].includes(shape)) addedOnce[`${host}/${key}`] = `before${value}`;
    const params: Readonly<Record<string, Json>> = {
      check: { key },
      gate: { question: 'go on?' },
      line: {},
      pair: { key, value, with: host === 'a' ? 'b' : 'a' },
    };
    const made = modelStep(one.id, `model.${shape}`, params[shape] ?? { key, value }, { role: host });
    return {
      ...made,
      needs: [...one.needs],
      ...(one.confirm ? { confirm: one.confirm } : {}),
      ...(one.part ? { part: one.part } : {}),
      ...(one.undoNeeds ? { undoNeeds: one.undoNeeds } : {}),
    };
  });
  const checkpoints = runbook.checkpoints.map(({ name, afterStep }) => ({ name, afterStep }));
  return { runbook: { ...runbookOf([], checkpoints), steps }, cells, addedOnce };
}
