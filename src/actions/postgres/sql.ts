/** Ends every other client session on the database named by `:'db'`. */
export const END_SESSIONS = `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
 WHERE datname = :'db' AND pid <> pg_backend_pid() AND backend_type = 'client backend';`;

/** Opens a block that runs only while the database named by `:'db'` exists; close it with `\endif`. */
export const IF_DATABASE = String.raw`SELECT count(*) > 0 AS found FROM pg_database WHERE datname = :'db' \gset
\if :found`;

/**
 * Drops the database named by `:'db'` if it is there. No session, not even a superuser's, can come in between; on a failure
 * the database stays closed to connections. Without a limit, which tells it from one that was to be renamed (`isDroppable`).
 */
export const DROP_DATABASE = String.raw`${IF_DATABASE}
ALTER DATABASE :"db" WITH ALLOW_CONNECTIONS false CONNECTION LIMIT -1;
${END_SESSIONS}
DROP DATABASE :"db";
\endif`;

// The server quotes each member of these lists, so each must be a literal of its own.
const LISTS = new Set([
  'search_path',
  'session_preload_libraries',
  'shared_preload_libraries',
  'local_preload_libraries',
  'temp_tablespaces',
  'unix_socket_directories',
]);

/**
 * `head SET name = value` or `head RESET name` for each setting, in one text. Hand it to psql as its stdin: a value may be a
 * secret, and arguments can be seen by everybody.
 */
export function settingStatements(head: string, settings: Readonly<Record<string, string | null>>): string {
  const lines = Object.entries(settings).map(([name, text]) => {
    if (text === null) return `${head} RESET ${identifier(name)};`;
    const members = LISTS.has(name.toLowerCase())
      ? text.split(',').map((member) => member.trim().replace(/^"(.*)"$/, '$1'))
      : [text];
    return `${head} SET ${identifier(name)} = ${members.map(literal).join(', ')};`;
  });
  return lines.join('\n');
}

/** A name as SQL writes it, whatever characters it has. */
export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A literal that means the same whatever standard_conforming_strings says. */
function literal(text: string): string {
  return `E'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
}
