import { expect, test } from 'vitest';
import { continueTrace, startTrace, traceparent } from '../src/tracing.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';

test('a trace survives its header, with a new span', () => {
  const first = startTrace();
  const second = continueTrace(traceparent(first));
  expect(second.traceId).toBe(first.traceId);
  expect(second.spanId).not.toBe(first.spanId);
  expect(traceparent(second)).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
});

test('the example of the specification is read', () => {
  expect(continueTrace(`00-${TRACE}-${SPAN}-01`).traceId).toBe(TRACE);
});

test.each([
  ['no header', undefined],
  ['nonsense', 'hello'],
  ['an unknown version', `01-${TRACE}-${SPAN}-01`],
  ['upper case', `00-${TRACE.toUpperCase()}-${SPAN}-01`],
  ['a trace id of zeros', `00-${'0'.repeat(32)}-${SPAN}-01`],
  ['a span id of zeros', `00-${TRACE}-${'0'.repeat(16)}-01`],
  ['more after it', `00-${TRACE}-${SPAN}-01-x`],
])('%s begins a new trace', (_name, header) => {
  const { traceId, spanId } = continueTrace(header);
  expect(traceId).toMatch(/^[0-9a-f]{32}$/);
  expect(spanId).toMatch(/^[0-9a-f]{16}$/);
  expect(header ?? '').not.toContain(traceId);
});
