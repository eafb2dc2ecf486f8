import { z } from 'zod';
import { FerryError } from '../../errors/ferry-error.ts';
import { loginThrough } from '../../hosts/login.ts';
import { check, defineAction } from '../action.ts';
import { unknown } from '../outputs.ts';
import { hostAddress, portNumber, secretText } from '../params.ts';
import { loginPreflight } from './login-preflight.ts';
import { reason } from './login-reason.ts';
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
  preflight: loginPreflight,
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
