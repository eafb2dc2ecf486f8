import type { Fact } from '../../facts/fact.ts';
import type { PgCluster } from '../../facts/pg-cluster.ts';
import type { PgLocale } from '../../facts/pg-locale.ts';
import { type Blocked, blocked } from '../action.ts';

/** Why a server cannot use a locale, and what to type; undefined when it can, or when an earlier step may still bring it. */
export function localeRefused(fact: Fact<PgLocale>, cluster: Fact<PgCluster>): Blocked | undefined {
  if (!fact.read || !fact.value) return undefined;
  const name = /, (.*)\)$/.exec(fact.key)?.[1] ?? '';
  const restart = `systemctl restart ${cluster.value?.unit ?? 'postgresql'}`;
  if (!fact.value.installed) {
    const language = name.split(/[_.]/)[0] ?? '';
    const debian = `sed -i 's/^# *\\(${name} \\)/\\1/' /etc/locale.gen && locale-gen`;
    const todo = cluster.value?.family === 'el' ? `dnf install glibc-langpack-${language}` : debian;
    return blocked(
      `locale ${name} is not installed on ${fact.host}`,
      `On ${fact.host}:  ${todo}   and then, because a running server does not see a new locale:  ${restart}`,
    );
  }
  if (fact.value.accepted !== false) return undefined;
  return blocked(
    `PostgreSQL on ${fact.host} refuses locale ${name}: it was installed after the server was started`,
    `${restart}   on ${fact.host}`,
  );
}
