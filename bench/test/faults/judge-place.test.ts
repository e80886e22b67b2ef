import { expect, it } from 'vitest';
import type { FaultClient } from '../../src/faults/fault-client.ts';
import { judgePlace } from '../../src/faults/judge-place.ts';
import type { Place } from '../../src/faults/place.ts';
import type { StoredTranscript } from '../../src/faults/stored-transcript.ts';
import { VisibleTranscript } from '../../src/faults/visible-transcript.ts';
import { chatV1 } from '../../src/faults/wires/chat-v1.ts';
import { roomsV1 } from '../../src/faults/wires/rooms-v1.ts';

const MESSAGES = [
  { key: 'ann/1', run: 'r1', text: 'Hi', sub: 'ann' },
  { key: 'ann/2', run: 'r2', text: '@ai Why?', sub: 'ann' },
];
const ANSWER = { run: 'r2', text: 'Because.', status: 'completed' as const };

/** All is well, until a test spoils it. */
function scene() {
  const stored: StoredTranscript = {
    said: MESSAGES.map((one) => ({ ...one })),
    answers: [{ ...ANSWER }],
    ends: new Map([['r2', 1]]),
    files: [],
  };
  const story = (wire = roomsV1, own: string[] = []) => {
    const shown = new VisibleTranscript();
    for (const { key, text, run } of MESSAGES)
      if (!own.includes(key)) shown.hear({ kind: 'said', run, key, text }, false);
    shown.answers.push({ ...ANSWER, run: wire.confirms ? ANSWER.run : null });
    return shown;
  };
  const client = (sub: string, wire = roomsV1, own: string[] = []) =>
    ({
      story: story(wire, own),
      wire,
      own: new Set(own),
      visit: { sub },
      faults: [],
      journal: [],
    }) as unknown as FaultClient;
  const place: Place = {
    name: 'place',
    speakers: [
      client(
        'ann',
        roomsV1,
        MESSAGES.map(({ key }) => key),
      ),
    ],
    listeners: [client('cid'), client('dee', chatV1)],
    acknowledged: MESSAGES.map(({ key, text }) => ({ key, text, asks: text.startsWith('@ai'), atMs: 0 })),
  };
  const fresh = story();
  const judge = () => {
    const { lost, otherEnds, different, runs, clients } = judgePlace(place, stored, fresh);
    return [lost.length, otherEnds.length, different.length, runs, clients];
  };
  return { stored, place, fresh, judge, listener: place.listeners[0] as FaultClient };
}

it('finds nothing where all is well', () => {
  expect(scene().judge()).toEqual([0, 0, 0, 1, 4]);
});

it('finds an acknowledged message that is not stored, and one that is stored twice', () => {
  const without = scene();
  without.stored.said.shift();
  expect(without.judge()[0]).toBe(1);
  const twice = scene();
  twice.stored.said.push({ ...(MESSAGES[0] as (typeof MESSAGES)[0]) });
  expect(twice.judge()[0]).toBe(1);
});

it('finds an acknowledged message that nobody who comes later is shown', () => {
  const { fresh, judge } = scene();
  fresh.heard.shift();
  expect(judge().slice(0, 3)).toEqual([1, 0, 1]);
});

it.each([
  ['no end in MESSAGES', ({ stored }: ReturnType<typeof scene>) => stored.ends.clear()],
  ['two ends in MESSAGES', ({ stored }: ReturnType<typeof scene>) => stored.ends.set('r2', 2)],
  ['no end seen', ({ listener }: ReturnType<typeof scene>) => void listener.story.answers.pop()],
  [
    'two ends seen where frames do not name their run',
    ({ place }: ReturnType<typeof scene>) => {
      const { story } = place.listeners[1] as FaultClient;
      story.answers.push({ ...ANSWER, run: null });
    },
  ],
])('finds a run with %s', (_, spoil) => {
  const one = scene();
  spoil(one);
  expect(one.judge()[1]).toBe(1);
});

it.each([
  ['a gap', ({ listener }: ReturnType<typeof scene>) => void listener.story.heard.shift()],
  ['another order', ({ listener }: ReturnType<typeof scene>) => void listener.story.heard.reverse()],
  [
    'another byte',
    ({ listener }: ReturnType<typeof scene>) => {
      (listener.story.answers[0] as { text: string }).text = 'because.';
    },
  ],
  ['a fault on its way', ({ listener }: ReturnType<typeof scene>) => void listener.faults.push('a gap')],
])('finds a client with %s', (_, spoil) => {
  const one = scene();
  spoil(one);
  expect(one.judge()[2]).toBe(1);
});
