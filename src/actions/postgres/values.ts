import type { PgSetting } from '../../facts/pg-setting.ts';

export type SettingValue = string | number | boolean;
/** What a setting should be: a value, or a bound the present value may already keep. */
export type Wanted =
  | SettingValue
  | { readonly atLeast?: string | number | undefined; readonly atMost?: string | number | undefined };

const UNITS: Readonly<Record<string, number>> = {
  ...{ B: 1, kB: 1024, MB: 1024 ** 2, GB: 1024 ** 3, TB: 1024 ** 4 },
  ...{ us: 0.001, ms: 1, s: 1000, min: 60_000, h: 3_600_000, d: 86_400_000 },
};

/** A number as PostgreSQL reads it for a setting, in the setting's own unit (which may be `8kB`); null when it is none. */
export function inUnit(text: string | number, unit: string | null): number | null {
  const parts = /^\s*(-?\d+(?:\.\d+)?(?:e-?\d+)?)\s*([A-Za-z]*)\s*$/i.exec(String(text));
  if (!parts) return null;
  const count = Number(parts[1]);
  if (!parts[2]) return count;
  const [, times, base] = /^(\d*)([A-Za-z]+)$/.exec(unit ?? '') ?? [];
  const given = UNITS[parts[2]];
  const own = UNITS[base ?? ''];
  return given === undefined || own === undefined ? null : (count * given) / (own * Number(times || 1));
}

/** The value to write so that a setting is as wanted, or undefined when it is already. */
export function settingToWrite(
  wanted: Wanted,
  now: Pick<PgSetting, 'setting' | 'unit' | 'type'>,
  name: string,
): string | undefined {
  if (typeof wanted !== 'object') return sameValue(asText(wanted), now.setting, now, name) ? undefined : asText(wanted);
  const current = inUnit(now.setting, now.unit);
  const { atLeast, atMost } = wanted;
  if (atLeast !== undefined && (current ?? -Infinity) < (inUnit(atLeast, now.unit) ?? 0)) return asText(atLeast);
  if (atMost !== undefined && (current ?? Infinity) > (inUnit(atMost, now.unit) ?? 0)) return asText(atMost);
  return undefined;
}

/** The bound or value itself, for a setting nobody can read yet. */
export function plainValue(wanted: Wanted): string {
  return asText(typeof wanted === 'object' ? (wanted.atLeast ?? wanted.atMost ?? '') : wanted);
}

/** What pg_settings will show once `text` is in force. */
export function shownAs(text: string, now: Pick<PgSetting, 'unit' | 'type'>): string {
  if (now.type === 'bool') return isTrue(text) ? 'on' : 'off';
  if (now.type === 'integer' || now.type === 'real') {
    const count = inUnit(text, now.unit);
    return count === null ? text : String(now.type === 'integer' ? Math.round(count) : count);
  }
  return now.type === 'enum' ? text.toLowerCase() : text;
}

function sameValue(wanted: string, setting: string, now: Pick<PgSetting, 'unit' | 'type'>, name: string): boolean {
  // Locales are the same whatever their dashes and case.
  if (name.startsWith('lc_')) return bare(wanted) === bare(setting);
  return shownAs(wanted, now) === shownAs(setting, { ...now, unit: now.unit });
}

function bare(locale: string): string {
  return locale.toLowerCase().replaceAll('-', '');
}

function isTrue(text: string): boolean {
  return /^(on|t|tr|tru|true|y|ye|yes|1)$/i.test(text);
}

function asText(given: SettingValue): string {
  return typeof given === 'boolean' ? (given ? 'on' : 'off') : String(given);
}
