import { type Lease, parseLease, readLeaseScript } from '../hosts/lease.ts';
import { absent, defineFact, value } from './fact.ts';

/** Which run has a host; absent when it is free. */
export const runLease = defineFact<[], Lease>({
  kind: 'runLease',
  class: 'measure',
  script: () => readLeaseScript(),
  parse(answer) {
    const lease = parseLease(answer.stdout);
    return lease ? value(lease) : absent;
  },
  show: (published) => `held by ${(published as unknown as Lease).run}`,
});
