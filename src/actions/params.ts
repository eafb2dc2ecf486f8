import { z } from 'zod';
import { Secret } from '../hosts/secret.ts';
import { parseDuration } from '../lib/duration.ts';

/** A duration as text: `250ms`, `60s`, `5m`, `1h30m`. It stays text; `toMs` reads it. */
export function duration() {
  return z
    .string()
    .regex(/^(\d+(\.\d+)?(ms|s|m|h|d))+$/, 'write a duration such as 30s, 5m or 1h30m')
    .meta({ ferry: 'duration' });
}

/** Milliseconds of a `duration()` param; 0 for text the schema would have refused. */
export function toMs(text: string): number {
  return parseDuration(text) ?? 0;
}

const UNIT_SUFFIX = /\.(service|socket|target|timer|mount|automount|path|slice|scope|swap|device)$/;

/** The name of a systemd unit; `.service` is added where no suffix stands, as systemctl does. */
export function unitName() {
  return z
    .string()
    .regex(/^[A-Za-z0-9:_.\\@][A-Za-z0-9:_.\\@-]*$/, 'write the name of a systemd unit, such as ovirt-engine.service')
    .overwrite((name) => (UNIT_SUFFIX.test(name) ? name : `${name}.service`))
    .meta({ ferry: 'unit' });
}

/** A path from the root, without `..` members, line breaks or a slash at the end. */
export function absolutePath() {
  return z
    .string()
    .regex(/^\/(?!(?:.*\/)?\.\.(?:\/|$))[^\0\r\n]*$/, 'write an absolute path without ".." in it')
    .overwrite((path) => path.replaceAll(/\/{2,}/g, '/').replace(/(?<=.)\/$/, ''))
    .meta({ ferry: 'path' });
}

/** The name of a runbook role: the host on the other side of the step. */
export function role() {
  return z
    .string()
    .regex(/^[A-Za-z][A-Za-z0-9_-]*$/, 'write the name of a role of the runbook')
    .meta({ ferry: 'role' });
}

/** Text that may be a secret. In a runbook it is written as text, mostly one expression over a secret input. */
export function secretText(): z.ZodType<string | Secret> {
  // z.any() with a type in its meta: a custom type has no JSON Schema, and in a file the value is a string.
  return z
    .any()
    .refine((given) => typeof given === 'string' || given instanceof Secret, 'write text or an expression over a secret')
    .meta({ type: 'string', ferry: 'secret' });
}

/** Permission bits as four octal digits; always in quotes in YAML, where 0600 alone is the number 600. */
export function octalMode() {
  return z
    .string()
    .regex(/^[0-7]{3,4}$/, 'write the mode as octal digits in quotes, such as "0600"')
    .overwrite((mode) => mode.padStart(4, '0'))
    .meta({ ferry: 'mode' });
}

/** A TCP port, 1 to 65535. */
export function portNumber() {
  return z.int().min(1).max(65535);
}

/** A host name, IPv4 or IPv6 address as a client would write it, without brackets. */
export function hostAddress() {
  return z
    .string()
    .regex(/^[A-Za-z0-9:][A-Za-z0-9.:%_-]*$/, 'write a host name or an IP address')
    .meta({ ferry: 'address' });
}

/** The name of a user or group of the operating system. */
export function userName() {
  return z.string().regex(/^[A-Za-z_][A-Za-z0-9_.-]*\$?$/, 'write the name of a user or group');
}
