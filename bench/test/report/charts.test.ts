import { expect, it } from 'vitest';
import { barChart } from '../../src/report/bar-chart.ts';
import { lineChart } from '../../src/report/line-chart.ts';
import { compact, scale, ticks } from '../../src/report/svg.ts';

it('places values between the ends of a scale, linear and logarithmic', () => {
  expect(scale(0, 10, 100, 200, false)(5)).toBe(150);
  expect(scale(1, 100, 0, 200, true)(10)).toBe(100);
  // Zero has no logarithm.
  expect(scale(1, 100, 0, 200, true)(0)).toBe(0);
});

it('picks round ticks that cover all values', () => {
  expect(ticks([3, 47], false)).toEqual([0, 10, 20, 30, 40, 50]);
  expect(ticks([0.4, 2_500], true)).toEqual([0.1, 1, 10, 100, 1_000, 10_000]);
  expect(ticks([], false)).toEqual([0, 1]);
  expect(ticks([0, 0], false)).toEqual([0, 1]);
});

it('shortens numbers to three digits', () => {
  expect([1_234_567, 45_388, 0.8456, 0].map(compact)).toEqual(['1.23M', '45.4k', '0.846', '0']);
});

it('draws a bar, its interval and its goal at their places', () => {
  const bars = [{ label: 'a <b>', value: 50, low: 40, high: 60, goal: 100, series: 0 }];
  const drawn = barChart({ title: 'Fan-out', unit: '/s', groups: [{ name: '', bars }] });
  // The axis goes from 0 at 200 to 100 at 630.
  expect(drawn).toContain('width="215"');
  expect(drawn).toContain('x1="372" y1="65" x2="458" y2="65" class="whisker"');
  expect(drawn).toContain('x1="630" y1="56" x2="630" y2="74" class="goal"');
  expect(drawn).toContain('a &lt;b>');
});

it('draws each series with its points and its name', () => {
  const series = [
    {
      name: 'gateway',
      points: [
        { x: 1, y: 10 },
        { x: 16, y: 20 },
      ],
    },
    {
      name: 'broker',
      points: [
        { x: 1, y: 5 },
        { x: 16, y: 20 },
      ],
    },
  ];
  const drawn = lineChart({ title: 'Growth', xLabel: 'load', yLabel: 'µs', series, xLog: true });
  expect(drawn.match(/<polyline/g)).toHaveLength(2);
  expect(drawn.match(/<circle/g)).toHaveLength(4);
  // Names at the same height are moved apart.
  const heights = ['gateway', 'broker'].map((name) =>
    Number(new RegExp(`y="([\\d.]+)"[^>]*>${name}<`).exec(drawn)?.[1]),
  );
  expect(Math.abs((heights[0] as number) - (heights[1] as number))).toBeGreaterThanOrEqual(15);
});
