import { entry } from '../entry.ts';

/** The data warehouse that the engine's database names, and what waits for the engine. */
export const dwhErrors = {
  DWH_ELSEWHERE: entry<{ found: string; verb: string; host: string; role: string }>({
    title: 'The data warehouse runs on another machine than was said',
    message: (a) =>
      `The engine's database says that its data warehouse ${a.verb} on ${a.found}, which is not ${a.host}, the machine of role ${a.role}. Forgotten there, it would keep its old conf and sample no more.`,
    hint: (a) => `If it is still there, give its host:  --role ${a.role}=HOST`,
    exit: 5,
    example: { found: 'dwh.example.com', verb: 'runs', host: 'engine', role: 'dwhd' },
  }),
  MAINTENANCE_KEPT: entry<{ host: string; seconds: number; why: string }>({
    title: 'Maintenance is not lifted before the engine answers',
    message: (a) =>
      `Global maintenance stays, as ${a.host} sees it: the engine answered before the run, and after ${a.seconds} s of waiting ${a.why}. Out of maintenance the hosts could restart its machine while it starts.`,
    hint: () =>
      "Look why on the engine's machine:  systemctl status ovirt-engine   Once it is up, go on:  ferry rollback   By hand:  hosted-engine --set-maintenance --mode=none",
    exit: 1,
    example: { host: 'he1', seconds: 600, why: 'hosted-engine --check-liveliness still says: Hosted Engine is not up!' },
  }),
};
