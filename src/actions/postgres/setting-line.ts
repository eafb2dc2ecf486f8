import { isSensitiveKey, MASK, maskValues, OTHER_MASK } from '../../facts/mask.ts';
import { isSecretSetting } from '../../facts/pg-setting.ts';
import type { DiffLine } from '../action.ts';

/** One setting and what becomes of it; null where it has no value. What may hold a password is masked. */
export function settingLine(name: string, before: string | null, after: string | null): DiffLine {
  const isSecret = isSensitiveKey(name) || isSecretSetting(name);
  const masks = [MASK, before !== null && before !== after ? OTHER_MASK : MASK] as const;
  const [old, now] = isSecret ? masks : maskValues(before ?? '', after ?? '');
  if (before === null) return ['+', `${name} = ${now}`];
  if (after === null) return ['-', `${name} = ${old}`];
  return ['~', `${name} = `, old, now];
}
