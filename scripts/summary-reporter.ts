/** The last lines of `npm test`: what was skipped and why, then one line of figures. */
import type { Reporter, TestCase, TestModule } from 'vitest/node';

type Outcome = 'passed' | 'failed' | 'skipped';

export class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly unknown[]): void {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    // A file that can't be loaded has no test that could fail; an unhandled error has no file.
    const broken = modules.filter((module) => module.state() === 'failed' && isEmpty(module)).length;
    const skipped = tests.filter((test) => outcome(test) === 'skipped');
    const lines = [
      ...skipReasons(skipped.map((test) => ({ name: test.fullName, note: note(test) }))),
      closingLine({
        passed: tests.filter((test) => outcome(test) === 'passed').length,
        failed: tests.filter((test) => outcome(test) === 'failed').length + broken + unhandled.length,
        skipped: skipped.length,
      }),
    ];
    process.stdout.write(`\n${lines.join('\n')}\n`);
  }
}

/** `12 passed, 0 failed, 1 skipped` */
export function closingLine(count: Record<Outcome, number>): string {
  return `${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped`;
}

/** One line for each reason with the tests it kept from running, so that a gap isn't silent. */
export function skipReasons(skipped: { name: string; note: string }[]): string[] {
  const byReason = Map.groupBy(skipped, ({ note }) => note);
  return [...byReason].flatMap(([reason, tests]) => [
    `skipped: ${reason}`,
    ...tests.map(({ name }) => `  - ${name}`),
  ]);
}

function outcome(test: TestCase): Outcome {
  const { state } = test.result();
  return state === 'passed' || state === 'failed' ? state : 'skipped';
}

function note(test: TestCase): string {
  const result = test.result();
  return (result.state === 'skipped' ? result.note : undefined) ?? 'no reason given';
}

function isEmpty(module: TestModule): boolean {
  return [...module.children.allTests('failed')].length === 0;
}
