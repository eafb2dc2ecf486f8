import { writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import generate from '../../../src/actions/locale/generate.ts';
import { generateScript, langpacks } from '../../../src/actions/locale/scripts.ts';
import { localeRefused } from '../../../src/actions/postgres/locale-refused.ts';
import { type OsLocale, osLocale, supportedLine } from '../../../src/facts/os-locale.ts';
import { type PgCluster, pgCluster } from '../../../src/facts/pg-cluster.ts';
import { type PgLocale, pgLocale } from '../../../src/facts/pg-locale.ts';
import { factOf, siteOf } from '../../kit/facts.ts';
import { localHost } from '../../kit/local-host.ts';
import { answer, withFolder } from '../../kit/read-here.ts';

const EN = 'en_US.UTF-8';
const cluster: PgCluster = {
  ...{ family: 'debian', version: 15, name: 'main', unit: 'postgresql@15-main.service', dataDirectory: '/d', configFile: '/c' },
  ...{ hbaFile: '/h', enabled: true, start: 'auto', encoding: 'UTF8', versionNum: 150_004, running: true },
};

function plan(os: OsLocale, pg: PgLocale | undefined, server: PgCluster | null = cluster, more: object = {}) {
  const facts = {
    os: [factOf(osLocale(EN).on('one'), os)],
    pg: [factOf(pgLocale(5432, EN).on('one'), pg)],
    cluster: factOf(pgCluster(5432).on('one'), server ?? undefined),
  };
  return generate.plan(generate.params.parse({ locales: [EN], ...more }), facts, siteOf('one'));
}

const missing: OsLocale = { installed: false, by: 'locale-gen' };
const there: OsLocale = { installed: true, by: 'locale-gen' };

describe('locale.generate', () => {
  test('a running server is restarted, because it goes on refusing a new locale; later steps are planned on that', () => {
    const planned = plan(missing, { installed: false, accepted: false });
    expect(planned).toMatchObject({
      summary: 'make en_US.UTF-8; restart PostgreSQL 15, which does not see new locales',
      outputs: { made: [EN], restarted: true },
      undo: { made: [EN], port: 5432 },
    });
    if (planned.kind !== 'change') throw new Error('no change');
    expect(planned.predicts.map(({ key, to }) => [key, to])).toEqual([
      [`osLocale(${EN})`, { state: 'value', value: there }],
      [`pgLocale(5432, ${EN})`, { state: 'value', value: { installed: true, accepted: true } }],
    ]);
    // What was a blocker of postgres.database is none after this step.
    const predicted = factOf(pgLocale(5432, EN).on('one'), { installed: true, accepted: true }, { read: false });
    expect(localeRefused(predicted, factOf(pgCluster(5432).on('one'), cluster))).toBeUndefined();
  });

  test.each([
    ['it is made and no server runs', missing, undefined, { ...cluster, running: false }, {}, 'make en_US.UTF-8'],
    ['there is no server', missing, undefined, null, {}, 'make en_US.UTF-8'],
    [
      'it is there, and only the server does not know',
      there,
      { installed: true, accepted: false },
      cluster,
      {},
      'restart PostgreSQL 15, which does not see all of them',
    ],
    ['all is well', there, { installed: true, accepted: true }, cluster, {}, 'there already'],
    [
      'the server may not be restarted',
      there,
      { installed: true, accepted: false },
      cluster,
      { restart: false },
      'there, the server sees them after its next start',
    ],
    ['nothing can make it', { installed: false, by: null }, undefined, cluster, {}, 'nothing on one can make locale en_US.UTF-8'],
  ] as const)('%s', (_, os, pg, server, more, summary) => {
    expect(plan(os, pg, server, more).summary).toBe(summary);
  });

  test('the scripts of each system', () => {
    expect(langpacks([EN, 'en_GB.UTF-8', 'de_DE@euro']).text).toBe(
      'dnf -q -y --setopt=install_weak_deps=False install -- glibc-langpack-en glibc-langpack-de',
    );
    expect(generateScript('localedef', [EN, 'de_DE.ISO-8859-15@euro']).text).toBe(
      'localedef -i en_US -f UTF-8 en_US.UTF-8 || exit 1\nlocaledef -i de_DE@euro -f ISO-8859-15 de_DE.ISO-8859-15@euro || exit 1',
    );
    expect(generateScript('locale-gen', [EN]).text).toContain('locale-gen --keep-existing');
  });

  // A database made long ago with en_US.utf8 could not be moved to a new Debian server: "nothing can make locale en_US.utf8".
  test('a locale is found among the supported ones however it is spelt', () =>
    withFolder(async (dir) => {
      writeFileSync(`${dir}/SUPPORTED`, 'en_US.UTF-8 UTF-8\nen_US ISO-8859-1\nde_DE@euro ISO-8859-15\n');
      const line = async (name: string) => {
        const { text } = supportedLine(name);
        return (await localHost().run({ text: text.replace('/usr/share/i18n', dir) } as never)).stdout.trim();
      };
      for (const name of ['en_US.UTF-8', 'en_US.utf8', 'en_US.UTF8']) expect(await line(name)).toBe('en_US.UTF-8 UTF-8');
      expect([await line('en_US'), await line('de_DE@euro')]).toEqual(['en_US ISO-8859-1', 'de_DE@euro ISO-8859-15']);
      expect([await line('en_US.utf'), await line('xx_XX.UTF-8')]).toEqual(['', '']);
      expect(generateScript('localedef', ['en_US.utf8']).text).toBe('localedef -i en_US -f UTF-8 en_US.utf8 || exit 1');
    }));

  test('what the system says is read', () => {
    const read = (stdout: string, code = 0) => osLocale.definition.parse(answer(stdout, { code }), EN);
    expect(read('C\nen_US.utf8\n=langpack\n')).toEqual({ state: 'value', value: { installed: true, by: 'langpack' } });
    expect(read('C\nPOSIX\n')).toEqual({ state: 'value', value: { installed: false, by: null } });
    expect(read('', 1)).toMatchObject({ state: 'unreadable' });
  });
});
