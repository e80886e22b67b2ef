import { type Bus, BusError, createLogger } from '@natter/runtime';
import { frozenClock } from '@natter/testkit';
import { expect, it, vi } from 'vitest';
import { LogAppender } from '../../../src/bus/logs/log-appender.ts';

const LINE = { subject: 'log.shop.info.general', data: '{"msg":"x"}' };

function rig() {
  const clock = frozenClock();
  const append = vi.fn<Bus['append']>();
  const log = createLogger('gateway', 'silent');
  const warn = vi.spyOn(log, 'warn');
  const appender = new LogAppender({ append }, log, clock.now);
  const batch = (lines: number) => Promise.all(Array.from({ length: lines }, () => appender.append(LINE)));
  return { clock, append, warn, batch };
}

it('gives all lines of a batch together five seconds, not each of them', async () => {
  const { clock, append, batch } = rig();
  const away = Promise.withResolvers<never>();
  append.mockReturnValue(away.promise);
  const codes = batch(1_000);
  clock.advance(5_000);
  away.reject(new BusError('UNAVAILABLE', 'away'));
  expect(new Set(await codes)).toEqual(new Set(['UNAVAILABLE']));
  expect(append.mock.calls.length).toBe(64);
});

it('says once that lines can’t be stored, until one is', async () => {
  const { append, warn, batch } = rig();
  append.mockRejectedValue(new BusError('REFUSED', 'no'));
  expect(await batch(3)).toEqual(Array(3).fill('INVALID_LOG_LINE'));
  expect(warn).toHaveBeenCalledOnce();
  append.mockResolvedValueOnce({ seq: 1, duplicate: false });
  expect(await batch(2)).toEqual([null, 'INVALID_LOG_LINE']);
  expect(warn).toHaveBeenCalledTimes(2);
});
