import { defineConfig } from 'vitest/config';

// Tiers by folder. Those that boot machines share one lab, so their files run one after the other.
const oneLab = { fileParallelism: false, testTimeout: 3 * 60_000, hookTimeout: 5 * 60_000, globalSetup: ['test/kit/lab-setup.ts'] };
const tier = (name: string, more: object = {}) => ({ test: { name, include: [`test/${name}/**/*.test.ts`], ...more } });

// Files of long runs that npm test leaves to npm run test:crash, and says so.
const isWhole = Boolean(process.env.FERRY_EVERY_FAULT);
const leftOut = isWhole ? [] : ['test/e2e/half-done.test.ts', 'test/e2e/kill.test.ts'];
// The runs of oVirt's chapter: npm test takes the files named sample-*, npm run test:chapter all.
const chapter = process.env.FERRY_WHOLE_CHAPTER ? {} : { include: ['test/chapter/sample-*.test.ts'] };

export default defineConfig({
  test: {
    // Times belong in the report; a slow unit test is one that has become something else.
    slowTestThreshold: 1000,
    // Vitest leaves one core to itself: of two that is half.
    maxWorkers: '100%',
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/{lab,lab-kit,contract,e2e,rollback,trouble,faults,matrix,chapter,shells,fuzz}/**'],
          // Some of them start real programs, beside a lab that boots.
          testTimeout: 30_000,
          // Each file would read all modules anew, which takes half the time of all.
          isolate: false,
          expect: { poll: { timeout: 10_000 } },
        },
      },
      // A key press in a shell is a Ferry started: too slow to stand among the unit tests.
      tier('shells', { testTimeout: 120_000, globalSetup: ['test/kit/shells-setup.ts'] }),
      tier('fuzz', { testTimeout: 5 * 60_000 }),
      // Every crash point of every shipped runbook, in memory: too many to stand among the unit tests, and one test a runbook.
      tier('matrix', { testTimeout: (isWhole ? 30 : 5) * 60_000 }),
      tier('lab-kit', { testTimeout: 60_000 }),
      tier('contract', oneLab),
      tier('lab', oneLab),
      tier('e2e', { ...oneLab, exclude: leftOut }),
      tier('rollback', oneLab),
      tier('trouble', oneLab),
      tier('chapter', { ...oneLab, testTimeout: 10 * 60_000, ...chapter }),
      tier('faults', { ...oneLab, testTimeout: 10 * 60_000 }),
    ],
  },
});
