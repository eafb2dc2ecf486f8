/** Why an archive, or a stream inside it, cannot be read on: it is cut, damaged, or in a form that is refused. */
export class ArchiveFault extends Error {
  /** True where nothing is wrong with the archive: this machine lacks a program, or has one that is too old. */
  readonly isOurs: boolean;
  constructor(why: string, more: { isOurs?: boolean; cause?: unknown } = {}) {
    super(why, more.cause === undefined ? {} : { cause: more.cause });
    this.name = 'ArchiveFault';
    this.isOurs = more.isOurs ?? false;
  }
}
