import { z } from 'zod';
import { FerryError } from '../../errors/ferry-error.ts';
import { loginThrough } from '../../hosts/login.ts';
import { check, defineAction } from '../action.ts';
import { unknown } from '../outputs.ts';
import { hostAddress, portNumber, secretText } from '../params.ts';
import { databaseName, roleName } from './params.ts';

export default defineAction({
  summary: 'Prove that a role can log in to a database from this host.',
  description:
    'The connection goes out from the host of the step, as a service there would make it, and ends right after the login.',
  params: z.strictObject({
    address: hostAddress().describe('Address of the server, as the host reaches it.'),
    port: portNumber().default(5432).describe('Port of the server.'),
    database: databaseName(),
    user: roleName().describe('Role to log in as.'),
    password: secretText().describe('Its password.'),
  }),
  outputs: { version: 'Version of the server, as it tells it.' },
  facts: () => ({}),
  touches: (_, role) => ({ effects: [{ does: 'prove', role }] }),
  plan({ address, port, database, user }, _facts, { host }) {
    return check(`${user} logs in to ${database} on ${address}:${port} from ${host.name}`, {
      outputs: { version: unknown('version of the server') },
    });
  },
  async apply({ on, params }) {
    const { address, port, database, user, password } = params;
    const answer = await loginThrough(on, { address, port, user, password, database });
    if (answer.ok) return { version: answer.version };
    const [why, todo] = reason(answer.code, answer.why, params, on.name);
    throw new FerryError(
      'LOGIN_REFUSED',
      { from: on.name, address, port, database, user, why, todo },
      { left: 'Trying it changed nothing.' },
    );
  },
  examples: [
    {
      title: 'The engine on the new server',
      with: { address: 'newdb.example.com', database: 'engine', user: 'engine', password: '${{ inputs.password }}' },
    },
  ],
});

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
