/** What went wrong in the lab, why, what was left, and in `hint` the next command to type. */
export class LabError extends Error {
  readonly hint: string;

  constructor(message: string, hint: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'LabError';
    this.hint = hint;
  }
}
