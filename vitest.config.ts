import { defineConfig } from 'vitest/config';
import { SummaryReporter } from './scripts/summary-reporter.ts';

/** Folders other people's files live in, and what a build or a run leaves behind. */
const NOT_OURS = ['**/node_modules/**', '**/.natter/**'];

export default defineConfig({
  test: {
    reporters: [process.env.CI ? 'default' : ['default', { summary: false }], new SummaryReporter()],
    projects: [
      {
        test: {
          name: 'unit',
          include: ['**/test/**/*.test.ts'],
          exclude: [...NOT_OURS, '**/*.it.test.ts', 'e2e/**'],
          testTimeout: 10_000,
        },
      },
      {
        test: {
          name: 'integration',
          include: ['**/test/**/*.it.test.ts', 'e2e/**/*.test.ts'],
          exclude: NOT_OURS,
          // Each file starts real processes: two at a time is what two cores bear.
          maxWorkers: 2,
          // After the unit tests, whose failures explain those here.
          sequence: { groupOrder: 1 },
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
