import { describe, expect, it } from 'vitest';
import { VisibleTranscript } from '../../src/faults/visible-transcript.ts';

const delta = (run: string | null, text: string, soFar: string | null = null) =>
  ({ kind: 'delta', run, text, soFar }) as const;
const end = (run: string | null, text: string | null) =>
  ({ kind: 'end', run, status: 'completed', text }) as const;
const said = (key: string) => ({ kind: 'said', run: 'r', key, text: 'x' }) as const;

describe('what a client was shown', () => {
  it('is put together by run, or one answer after the other', () => {
    const named = new VisibleTranscript();
    named.grow(delta('a', 'One'), false);
    named.grow(delta('a', ' two'), false);
    named.end(end('a', 'One two'), false);
    const unnamed = new VisibleTranscript();
    for (const text of ['first', 'second']) {
      unnamed.grow(delta(null, text, text), false);
      unnamed.end(end(null, text), false);
    }
    expect(named.answers).toEqual([{ run: 'a', text: 'One two', status: 'completed' }]);
    expect(unnamed.ended.map(({ text }) => text)).toEqual(['first', 'second']);
    expect([...named.faults, ...unnamed.faults]).toEqual([]);
  });

  it.each([
    ['a gap', (story: VisibleTranscript) => story.end(end('a', 'not what came'), false)],
    ['a double piece', (story: VisibleTranscript) => story.grow(delta('a', 'One', 'One'), false)],
    ['a second end', (story: VisibleTranscript) => [1, 2].map(() => story.end(end('a', null), false))],
    ['an answer inside of another', (story: VisibleTranscript) => story.grow(delta('b', 'x'), false)],
    ['a message twice', (story: VisibleTranscript) => [1, 2].map(() => story.hear(said('k'), false))],
  ])('has a fault where there is %s', (_, spoil) => {
    const story = new VisibleTranscript();
    story.grow(delta('a', 'One', 'One'), false);
    expect(story.faults).toEqual([]);
    spoil(story);
    expect(story.faults).toHaveLength(1);
  });

  it('passes over an answer that it has, after it has sent the question again', () => {
    const story = new VisibleTranscript();
    for (const mayRepeat of [false, true]) {
      story.grow(delta('a', 'One'), mayRepeat);
      story.end(end('a', 'One'), mayRepeat);
    }
    expect([story.answers.length, story.askedAgain, story.faults]).toEqual([1, 1, []]);
  });
});
