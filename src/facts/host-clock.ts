import { sh } from '../hosts/sh.ts';
import { type ClockOffset, defineFact, unreadable, value } from './fact.ts';

/** How far the clock of a host is ahead of the controller's, told by the round trip that reads the other facts. */
export const hostClock = defineFact<[], ClockOffset>({
  kind: 'hostClock',
  class: 'measure',
  timed: true,
  script: () => sh`exit 0`,
  parse: (answer) => (answer.clock ? value(answer.clock) : unreadable('its date tells no time that can be read')),
  show: (published) => `${(published as unknown as ClockOffset).aheadMs} ms ahead`,
});
