import { expect, test } from 'vitest';
import { jdbcPart, jdbcUrl, parseJdbcUrl } from '../../src/runbook/jdbc.ts';

const FACTORY = 'sslfactory=org.postgresql.ssl.NonValidatingFactory';

test.each([
  ['jdbc:postgresql://localhost:5432/engine', { host: 'localhost', port: '5432', database: 'engine', query: null }],
  ['jdbc:postgresql://db.example.com/engine', { host: 'db.example.com', port: '5432', database: 'engine', query: null }],
  [`jdbc:postgresql://db:6000/engine?${FACTORY}`, { host: 'db', port: '6000', database: 'engine', query: FACTORY }],
  ['jdbc:postgresql://[2001:db8::1]:5433/engine?a=b', { host: '2001:db8::1', port: '5433', database: 'engine', query: 'a=b' }],
  ['jdbc:postgresql://[::1]/engine', { host: '::1', port: '5432', database: 'engine', query: null }],
  ['jdbc:postgresql:engine', { host: 'localhost', port: '5432', database: 'engine', query: null }],
  ['jdbc:postgresql:///engine', { host: 'localhost', port: '5432', database: 'engine', query: null }],
  ['jdbc:postgresql://db/My%20Engine', { host: 'db', port: '5432', database: 'My Engine', query: null }],
  ['jdbc:postgresql://db/engine?ssl=true&x=/a?b', { host: 'db', port: '5432', database: 'engine', query: 'ssl=true&x=/a?b' }],
])('the parts of %s are found', (url, parts) => {
  expect(parseJdbcUrl(url)).toEqual(parts);
});

test.each(['', 'postgres://db/engine', 'jdbc:mysql://db/engine', 'jdbc:postgresql://a,b/engine'])(
  '"%s" is not taken for the URL of one server',
  (url) => {
    expect(() => parseJdbcUrl(url)).toThrow('not a JDBC URL of one PostgreSQL server');
  },
);

test('host, port and database are replaced and the query is kept', () => {
  expect(jdbcUrl(`jdbc:postgresql://localhost:5432/engine?ssl=true&${FACTORY}`, 'new.example.com', 5433, 'engine2')).toBe(
    `jdbc:postgresql://new.example.com:5433/engine2?ssl=true&${FACTORY}`,
  );
});

test('an IPv6 address gets its brackets, and a name with odd characters survives the way there and back', () => {
  const url = jdbcUrl('jdbc:postgresql://localhost/engine', '2001:db8::7', 5432, 'My-Engine 100%');
  expect(url).toBe('jdbc:postgresql://[2001:db8::7]:5432/My-Engine%20100%25');
  expect(jdbcPart(url, 'host')).toBe('2001:db8::7');
  expect(jdbcPart(url, 'database')).toBe('My-Engine 100%');
});

test('a part that no URL has is refused', () => {
  expect(() => jdbcPart('jdbc:postgresql://db/engine', 'user')).toThrow('host, port and database');
});
