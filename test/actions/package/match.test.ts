import { expect, it } from 'vitest';
import match from '../../../src/actions/package/match.ts';
import { packageVersion } from '../../../src/facts/package-version.ts';
import { factOf, siteOf } from '../../kit/facts.ts';

const version = (host: string, text: string | null | undefined) =>
  factOf(packageVersion('dwh').on(host), text === undefined ? undefined : { version: text });
const plan = (here: string | null | undefined, there: string | undefined) =>
  match.plan(
    match.params.parse({ packages: ['dwh'], as: 'engine' }),
    { here: [version('new', here)], there: [version('engine', there)] },
    siteOf('new', { engine: { ...siteOf().host, name: 'engine' } }),
  );

it.each([
  ['the same', '4.5.9', '4.5.9', 'check', 'dwh: 4.5.9, as on engine'],
  ['one that is to be installed', null, '4.5.9', 'check', 'dwh: to be 4.5.9, as on engine'],
  ['another one', '4.5.8', '4.5.9', 'blocked', 'dwh is 4.5.8 on new and 4.5.9 on engine'],
  ['none here', undefined, '4.5.9', 'blocked', 'dwh is not installed on new'],
  ['none there', '4.5.9', undefined, 'blocked', 'dwh is not installed on engine'],
])('package.match with %s', (_, here, there, kind, summary) => {
  expect(plan(here, there)).toMatchObject({ kind, summary });
});
