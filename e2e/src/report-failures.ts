/** Prints what the processes of a file's stack wrote when one of its tests fails. */
import type { Stack } from '@natter/testkit';
import { beforeEach } from 'vitest';

/** Call it once in a file whose stack is started in `beforeAll`, where no test can fail yet. */
export function reportFailures(stack: () => Stack | undefined): void {
  beforeEach(({ onTestFailed }) => {
    onTestFailed(() => void process.stderr.write(`${stack()?.lastWords()}\n`));
  });
}
