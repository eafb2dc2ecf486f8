import { actionErrors } from './catalogue/actions.ts';
import { arrivalErrors } from './catalogue/arrivals.ts';
import { backupRunErrors } from './catalogue/backup-runs.ts';
import { backupErrors } from './catalogue/backups.ts';
import { byHandErrors } from './catalogue/by-hand.ts';
import { deadManErrors } from './catalogue/dead-man.ts';
import { dumpErrors } from './catalogue/dumps.ts';
import { dwhErrors } from './catalogue/dwh.ts';
import { engineErrors } from './catalogue/engine.ts';
import { fanOutErrors } from './catalogue/fan-out.ts';
import { firewallErrors } from './catalogue/firewall.ts';
import { gateErrors } from './catalogue/gates.ts';
import { hostKeyErrors } from './catalogue/host-keys.ts';
import { hostErrors } from './catalogue/hosts.ts';
import { localeErrors } from './catalogue/locales.ts';
import { longCommandErrors } from './catalogue/long-commands.ts';
import { notifyErrors } from './catalogue/notify.ts';
import { overtakenErrors } from './catalogue/overtaken.ts';
import { ovirtSetupErrors } from './catalogue/ovirt-setup.ts';
import { packageErrors } from './catalogue/packages.ts';
import { planErrors } from './catalogue/plans.ts';
import { postgresErrors } from './catalogue/postgres.ts';
import { preflightErrors } from './catalogue/preflight.ts';
import { promptErrors } from './catalogue/prompts.ts';
import { rollbackErrors } from './catalogue/rollback.ts';
import { runbookErrors } from './catalogue/runbook.ts';
import { securityErrors } from './catalogue/security.ts';
import { serviceErrors } from './catalogue/services.ts';
import { takeoverErrors } from './catalogue/takeover.ts';
import { usageErrors } from './catalogue/usage.ts';

/** Every error Ferry can end with, by code. */
export const catalogue = {
  ...usageErrors,
  ...runbookErrors,
  ...hostKeyErrors,
  ...hostErrors,
  ...localeErrors,
  ...longCommandErrors,
  ...actionErrors,
  ...arrivalErrors,
  ...engineErrors,
  ...fanOutErrors,
  ...byHandErrors,
  ...rollbackErrors,
  ...deadManErrors,
  ...firewallErrors,
  ...gateErrors,
  ...notifyErrors,
  ...packageErrors,
  ...planErrors,
  ...preflightErrors,
  ...postgresErrors,
  ...dumpErrors,
  ...dwhErrors,
  ...promptErrors,
  ...ovirtSetupErrors,
  ...securityErrors,
  ...serviceErrors,
  ...takeoverErrors,
  ...overtakenErrors,
  ...backupErrors,
  ...backupRunErrors,
};

export type ErrorCode = keyof typeof catalogue;
export type ArgsOf<C extends ErrorCode> = (typeof catalogue)[C]['example'];
