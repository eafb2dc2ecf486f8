import { expect, test } from 'vitest';
import { knowsRestrict } from '../../../src/facts/postgres/knows-restrict.ts';

test.each([
  ['12.22', false],
  ['13.21', false],
  ['13.22', true],
  ['14.18', false],
  ['14.19', true],
  ['15.13', false],
  ['15.14', true],
  ['15.20', true],
  ['16.9', false],
  ['16.10', true],
  ['17.5', false],
  ['17.6', true],
  ['18.0', true],
  ['18', true],
  ['19.1', true],
])('psql %s knows \\restrict: %s', (version, knows) => {
  expect(knowsRestrict(version)).toBe(knows);
});
