import { frozenClock } from '@natter/testkit';
import { expect, it } from 'vitest';
import { TypingFrames } from '../../src/session/typing-frames.ts';

function typing() {
  const clock = frozenClock();
  const told: string[] = [];
  const frames = new TypingFrames({
    now: () => clock.now(),
    publish: (conversation, { sub, isTyping }) => void told.push(`${conversation} ${sub} ${isTyping}`),
  });
  const say = (isTyping: boolean, sub = 'alice', conversation = '=r=1') =>
    frames.say(conversation, { type: 'typing', sub, name: null, isTyping, connection: 'c' });
  return { clock, told, frames, say };
}

it('tells once a second of each user and conversation', () => {
  const { clock, told, say } = typing();
  for (let times = 0; times < 100; times += 1) say(true);
  say(true, 'bob');
  say(true, 'alice', '=r=2');
  expect(told).toEqual(['=r=1 alice true', '=r=1 bob true', '=r=2 alice true']);
  clock.advance(1_000);
  say(true);
  expect(told).toHaveLength(4);
});

it('tells a change that came too early later, and only the last one', () => {
  const { clock, told, frames, say } = typing();
  for (const isTyping of [true, false, true, false]) say(isTyping);
  expect(told).toEqual(['=r=1 alice true']);
  clock.advance(999);
  frames.tick();
  expect(told).toHaveLength(1);
  clock.advance(1);
  frames.tick();
  frames.tick();
  expect(told).toEqual(['=r=1 alice true', '=r=1 alice false']);
});

it('tells no change that was taken back', () => {
  const { clock, told, frames, say } = typing();
  for (const isTyping of [true, false, true]) say(isTyping);
  clock.advance(1_000);
  frames.tick();
  expect(told).toEqual(['=r=1 alice true']);
});

it('tells of 10,000 people a second at most, and of others when these are done', () => {
  const { clock, told, frames, say } = typing();
  for (let number = 0; number < 10_001; number += 1) say(true, `u${number}`);
  expect(told).toHaveLength(10_000);
  clock.advance(1_000);
  frames.tick();
  say(true, 'u10000');
  expect(told).toHaveLength(10_001);
});
