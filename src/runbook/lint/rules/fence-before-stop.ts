import { paramOf } from '../book.ts';
import { exampleMove, SOUND_MOVE } from '../example-move.ts';
import { movesOf } from '../moves.ts';
import { defineRule } from '../rule.ts';

const [stop = 'stop', fence = 'fence', ...rest] = SOUND_MOVE;

export default defineRule({
  code: 'FENCE_BEFORE_STOP',
  severity: 'warning',
  why: 'A rollback goes backwards: what was stopped last starts first. Services that start before the fence is lifted fail, and so does the rollback.',
  fix: 'Stop first, then fence.',
  bad: exampleMove([fence, stop, ...rest]),
  good: exampleMove(SOUND_MOVE),
  check(book) {
    const moved = movesOf(book);
    return book.all('fence').flatMap((fenced) => {
      if (!moved.some(({ dump }) => book.maySameDatabase(fenced.what, dump.what))) return [];
      const late = book
        .all('stop-unit')
        .find(({ by, what }) => !what.forGood && !/postgres/.test(what.unit) && book.isBefore(fenced.by, by));
      if (!late) return [];
      const at = paramOf(fenced.by.step, 'database')?.at;
      const args = { fence: fenced.by.step.id, stop: late.by.step.id, database: fenced.what.database };
      return [{ args, step: fenced.by, at }];
    });
  },
});
