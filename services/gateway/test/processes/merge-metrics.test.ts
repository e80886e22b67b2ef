import { expect, test } from 'vitest';
import { mergeMetrics } from '../../src/processes/merge-metrics.ts';

const of = (turns: number) => `# HELP turns_total Questions.
# TYPE turns_total counter
turns_total{service="gateway",outcome="stored"} ${turns}
turns_total{service="gateway",outcome="refused"} 0

# HELP connections Open.
# TYPE connections gauge
connections ${turns * 2}
`;

test('each sample has its process, and those of a metric stand together under one head', () => {
  const merged = mergeMetrics([
    { process: '0', text: of(1) },
    { process: '1', text: of(2) },
  ]);
  expect(merged).toBe(`# HELP turns_total Questions.
# TYPE turns_total counter
turns_total{process="0",service="gateway",outcome="stored"} 1
turns_total{process="0",service="gateway",outcome="refused"} 0
turns_total{process="1",service="gateway",outcome="stored"} 2
turns_total{process="1",service="gateway",outcome="refused"} 0

# HELP connections Open.
# TYPE connections gauge
connections{process="0"} 2
connections{process="1"} 4
`);
});

test('metrics that only one process has stay, also without labels or help', () => {
  const parent = '# TYPE processes gauge\nprocesses{} 2\n';
  expect(
    mergeMetrics([
      { process: 'parent', text: parent },
      { process: '0', text: '' },
    ]),
  ).toBe('# TYPE processes gauge\nprocesses{process="parent"} 2\n');
});

test('the sum and count of a histogram stay with its buckets', () => {
  const text = '# HELP s S.\n# TYPE s histogram\ns_bucket{le="+Inf"} 1\ns_sum 2\ns_count 1\n';
  expect(mergeMetrics([{ process: '7', text }])).toBe(
    '# HELP s S.\n# TYPE s histogram\ns_bucket{process="7",le="+Inf"} 1\ns_sum{process="7"} 2\ns_count{process="7"} 1\n',
  );
});
