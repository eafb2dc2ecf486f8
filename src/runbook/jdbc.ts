/** The parts of a JDBC URL of PostgreSQL. `query` is what follows the question mark, without it; null when there is none. */
export interface JdbcParts {
  readonly host: string;
  readonly port: string;
  readonly database: string;
  readonly query: string | null;
}

const DEFAULT_PORT = '5432';
// The authority may be missing (jdbc:postgresql:engine means localhost), an IPv6 address stands in brackets.
const PATTERN =
  /^jdbc:postgresql:(?:\/\/(?:\[(?<six>[^\]]+)\]|(?<name>[^/:?]*))(?::(?<port>\d+))?\/)?(?<database>[^/?]*)(?:\?(?<query>.*))?$/s;

/** Takes a JDBC URL apart. @throws TypeError when the text is none, or names several hosts */
export function parseJdbcUrl(url: string): JdbcParts {
  const groups = PATTERN.exec(url)?.groups;
  if (!groups || groups.name?.includes(','))
    throw new TypeError('this is not a JDBC URL of one PostgreSQL server (jdbc:postgresql://host:port/database)');
  return {
    host: groups.six ?? (groups.name || 'localhost'),
    port: groups.port ?? DEFAULT_PORT,
    database: decodeURIComponent(groups.database ?? ''),
    query: groups.query ?? null,
  };
}

/** The same URL with another host, port and database; what follows the question mark stays. */
export function jdbcUrl(url: string, host: string, port: number, database: string): string {
  const { query } = parseJdbcUrl(url);
  const address = host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
  return `jdbc:postgresql://${address}:${port}/${encodeURIComponent(database)}${query === null ? '' : `?${query}`}`;
}

/** One part of a JDBC URL: `host`, `port` or `database`. */
export function jdbcPart(url: string, part: string): string {
  const parts = parseJdbcUrl(url);
  if (part !== 'host' && part !== 'port' && part !== 'database')
    throw new TypeError(`a JDBC URL has the parts host, port and database, not "${part}"`);
  return parts[part];
}
