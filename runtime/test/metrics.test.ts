/** What Prometheus reads. */
import { expect, it } from 'vitest';
import { Metrics } from '../src/metrics.ts';

it('a counter without labels is 0 before it was ever counted', async () => {
  const metrics = new Metrics('auth');
  const counter = metrics.counter('natter_lines_total', 'Lines.');
  expect(await metrics.expose()).toContain('\nnatter_lines_total{service="auth"} 0\n');
  counter.inc();
  counter.inc(41);
  expect(await metrics.expose()).toContain('\nnatter_lines_total{service="auth"} 42\n');
});

it('a counter counts each combination of label values apart, its own labels first', async () => {
  const metrics = new Metrics('auth');
  const counter = metrics.counter('natter_asked_total', 'Asked.', ['op', 'result']);
  counter.inc({ op: 'get', result: 'ok' });
  counter.inc({ result: 'ok', op: 'get' });
  counter.inc({ op: 'get', result: 'refused' }, 3);
  const text = await metrics.expose();
  expect(text).toContain(
    [
      '# HELP natter_asked_total Asked.',
      '# TYPE natter_asked_total counter',
      'natter_asked_total{op="get",result="ok",service="auth"} 2',
      'natter_asked_total{op="get",result="refused",service="auth"} 3',
      '',
    ].join('\n'),
  );
});

it('no more than 1,000 combinations are kept', async () => {
  const metrics = new Metrics('auth');
  const counter = metrics.counter('natter_asked_total', 'Asked.', ['id']);
  for (let id = 0; id < 2_000; id += 1) counter.inc({ id: String(id) });
  expect((await metrics.expose()).match(/natter_asked_total\{/g)).toHaveLength(1_000);
});

it('quotes, backslashes and line breaks of a label value are escaped', async () => {
  const metrics = new Metrics('auth');
  metrics.counter('natter_asked_total', 'Asked.', ['what']).inc({ what: 'a"b\\c\nd' });
  expect(await metrics.expose()).toContain('{what="a\\"b\\\\c\\nd",service="auth"} 1\n');
});

it('a gauge is read when somebody asks', async () => {
  const metrics = new Metrics('auth');
  let value = 1;
  metrics.gauge('natter_here', 'Here.', () => value);
  value = 7;
  expect(await metrics.expose()).toContain('natter_here{service="auth"} 7\n');
});

it('a bucket of durations holds those below it as well', async () => {
  const metrics = new Metrics('auth');
  const durations = metrics.latency('natter_verify_seconds', 'Verified.');
  for (const seconds of [0.0001, 0.002, 0.3, 61]) durations.observe(seconds);
  const text = await metrics.expose();
  const bucket = (bound: string) =>
    Number(new RegExp(`_bucket\\{le="${bound}",service="auth"\\} (\\d+)\n`).exec(text)?.[1]);
  expect(['0.0001', '0.0025', '0.25', '0.5', '60', '\\+Inf'].map(bucket)).toEqual([1, 2, 2, 3, 3, 4]);
  expect(text).toContain('natter_verify_seconds_count{service="auth"} 4\n');
  expect(Number(/_sum\{service="auth"\} ([\d.]+)\n/.exec(text)?.[1])).toBeCloseTo(61.3021, 9);
});

it('a timer counts one duration', async () => {
  const metrics = new Metrics('auth');
  metrics.latency('natter_verify_seconds', 'Verified.').startTimer()();
  expect(await metrics.expose()).toContain('natter_verify_seconds_bucket{le="+Inf",service="auth"} 1\n');
});

it('every process tells its CPU time, memory, files and event loop', async () => {
  const text = await new Metrics('auth').expose();
  const value = (name: string) =>
    Number(new RegExp(`^${name}\\{service="auth"\\} (\\S+)$`, 'm').exec(text)?.[1]);
  for (const name of [
    'process_cpu_seconds_total',
    'process_start_time_seconds',
    'process_resident_memory_bytes',
    'nodejs_heap_size_used_bytes',
  ])
    expect(value(name), name).toBeGreaterThan(0);
  expect(value('nodejs_eventloop_lag_seconds')).toBeGreaterThanOrEqual(0);
});

it('each line is a comment, a sample or empty, and ends', async () => {
  const metrics = new Metrics('auth');
  metrics.latency('natter_verify_seconds', 'Verified.');
  const text = await metrics.expose();
  expect(text.endsWith('\n')).toBe(true);
  for (const line of text.split('\n'))
    expect(line).toMatch(/^(|# (HELP|TYPE) [a-z_]+ .+|[a-z_]+\{[^}]+\} (NaN|[\d.e+-]+))$/);
});

it('a name is taken once', () => {
  const metrics = new Metrics('auth');
  metrics.counter('natter_lines_total', 'Lines.');
  expect(() => metrics.gauge('natter_lines_total', 'Lines.', () => 0)).toThrow(/already/);
});

it('only what not every process has is described', () => {
  const metrics = new Metrics('auth');
  metrics.counter('natter_lines_total', 'Lines.');
  expect(metrics.describe()).toEqual([{ name: 'natter_lines_total', help: 'Lines.', type: 'counter' }]);
});
