/** Why a login was refused and what to do, from the code: SQLSTATE, or that of the connection. */
export function reason(
  code: string,
  why: string,
  at: { address: string; port: number; database: string; user: string },
  from: string,
): [why: string, todo: string] {
  switch (code) {
    case '28P01':
      return [
        `the password of ${at.user} is wrong, or it has none`,
        'Give the password the role has, or let a postgres.role step set it.',
      ];
    case '28000':
      return [
        `the server lets ${at.user} in from there by no rule of its pg_hba.conf, or the role may not log in (${why})`,
        'Add a postgres.hba step with the address the server sees.',
      ];
    case '3D000':
      return [`there is no database "${at.database}"`, 'Correct its name, or add a postgres.database step before.'];
    case '53300':
      return [
        'the server or the database takes no more connections',
        'Raise max_connections with postgres.settings, or see whether the database is frozen (CONNECTION LIMIT 0).',
      ];
    case '57P03':
      return [`the server is starting or stopping (${why})`, 'ferry resume   when it is up.'];
    case 'ECONNREFUSED':
    case 'CONNECT_REFUSED':
      return [
        `nothing answers there: ${why}`,
        `See that listen_addresses on ${at.address} is not localhost alone, and that no firewall stands between ${from} and it.`,
      ];
    case 'ETIMEDOUT':
    case 'TIMEOUT':
      return ['it gave no answer in time', `See whether a firewall drops packets from ${from} to ${at.address} port ${at.port}.`];
    case 'ENOTFOUND':
      return [`${from} cannot resolve ${at.address}`, `Correct the address, or the name service of ${from}.`];
    default:
      return [`${why} (${code})`, 'Look at the log of the server.'];
  }
}
