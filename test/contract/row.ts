/** One way to use an action on lab hosts, and how to bring the hosts to where it has something to do. */
export interface Row {
  readonly action: string;
  /** What this row is about, when the action has several. */
  readonly about?: string;
  /** It takes long, so the deaths in the middle of it are left to npm run test:crash; for all of it, where another row has the action. */
  readonly isLong?: 'deaths' | 'all';
  readonly host: string;
  readonly with: unknown;
  /** Scripts run past Ferry, by host: before each scenario, and after all of them. */
  readonly before?: Readonly<Record<string, string>>;
  readonly after?: Readonly<Record<string, string>>;
  /** Words that may stand in nothing that is written down. */
  readonly secrets?: readonly string[];
  /** What a second plan says, where it is not what the action says of itself. */
  readonly again?: 'change' | 'no-change' | 'blocked';
  /** Scripts that must succeed after each rollback: nothing but kept bytes is left. */
  readonly clean?: Readonly<Record<string, string>>;
  /** A script that leaves what a killed apply could leave, for actions that give one command only. */
  readonly half?: Readonly<Record<string, string>>;
  /** What a check must hand on, or a change's outputs must hold. */
  readonly outputs?: object;
  /** Params with which a check does not hold, and the code it then throws; or that its plan is blocked. */
  readonly fails?: { readonly with: unknown; readonly code: string };
}
