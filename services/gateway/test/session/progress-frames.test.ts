import { frozenClock } from '@natter/testkit';
import { describe, expect, it } from 'vitest';
import { type FileProgress, ProgressFrames } from '../../src/session/progress-frames.ts';

const EVENT: Omit<FileProgress, 'file' | 'received'> = {
  type: 'file.progress',
  status: 'receiving',
  ...{ name: 'a.txt', size: 10, sub: 'alice', subName: null, connection: '1' },
};

function rig() {
  const clock = frozenClock();
  const told: string[] = [];
  const frames = new ProgressFrames({
    publish: (conversation, { file, status, received }) =>
      told.push(`${conversation} ${file} ${status} ${received}`),
    isLarge: (conversation) => conversation === 'large',
    now: () => clock.now(),
  });
  const say = (
    file: string,
    received: number,
    status: FileProgress['status'] = 'receiving',
    conversation = 'c',
  ) => frames.say(conversation, { ...EVENT, file, received, status });
  const sayIf = (file: string, received: number, may: () => Promise<boolean>) =>
    frames.sayIf('c', { ...EVENT, file, received }, may);
  return { clock, told, say, sayIf };
}

describe('progress of an upload', () => {
  it('is told at once, then at most once a second of each file', () => {
    const { clock, told, say } = rig();
    say('a', 1);
    say('a', 2);
    say('b', 1);
    clock.advance(999);
    say('a', 3);
    clock.advance(1);
    say('a', 4);
    expect(told).toEqual(['c a receiving 1', 'c b receiving 1', 'c a receiving 4']);
  });

  it('is told at once when it ends', () => {
    const { told, say } = rig();
    say('a', 1);
    say('a', 10, 'quarantined');
    say('b', 1);
    say('b', 1, 'cancelled');
    expect(told.slice(1)).toEqual(['c a quarantined 10', 'c b receiving 1', 'c b cancelled 1']);
  });

  it('is told of somebody who may still be there, which is asked once a second of each file', async () => {
    const { clock, told, sayIf } = rig();
    const asked: string[] = [];
    const may = (file: string, answer: boolean | Error) => async () => {
      asked.push(file);
      if (answer instanceof Error) throw answer;
      return answer;
    };
    for (const received of [1, 2]) await sayIf('a', received, may('a', true));
    await sayIf('b', 1, may('b', false));
    await sayIf('c', 1, may('c', new Error('nobody can tell')));
    clock.advance(1_000);
    await sayIf('a', 3, may('a', true));
    expect(told).toEqual(['c a receiving 1', 'c a receiving 3']);
    expect(asked).toEqual(['a', 'b', 'c', 'a']);
  });

  it('is not told behind its end', async () => {
    const { told, say, sayIf } = rig();
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const late = sayIf('a', 1, () => promise);
    say('a', 1, 'cancelled');
    resolve(true);
    await late;
    expect(told).toEqual(['c a cancelled 1']);
  });

  it('is not told where very many watch; how an upload ends is', () => {
    const { told, say } = rig();
    say('a', 1, 'receiving', 'large');
    say('a', 1, 'refused', 'large');
    expect(told).toEqual(['large a refused 1']);
  });

  it('is kept of ten thousand files at most: of further ones nobody is told for a second', () => {
    const { clock, told, say } = rig();
    for (let file = 0; file < 10_001; file += 1) say(String(file), 1);
    expect(told).toHaveLength(10_000);
    clock.advance(1_000);
    say('10000', 2);
    expect(told.at(-1)).toBe('c 10000 receiving 2');
  });
});
