import type { RunBatch, RunEvent } from '@natter/proto';
import { describe, expect, it } from 'vitest';
import { RunView } from '../../src/bus/run-view.ts';

const metadata = { agent: 'specs', confidence: 1, sources: [], model: 'm', usage: null };
const delta = (at: number, text: string): RunEvent => ({ type: 'text.delta', at, text });
const end = (text: string): RunEvent => ({ type: 'run.completed', text, metadata });
const batch = (n: number, events: RunEvent[], claim = 1): RunBatch => ({ n, claim, events });

function collect(view: RunView, batches: RunBatch[]): RunEvent[] {
  const seen: RunEvent[] = [];
  for (const one of batches) view.apply(one, (event) => seen.push(event));
  return seen;
}

const textOf = (events: RunEvent[]) =>
  events.map((event) => (event.type === 'text.delta' ? event.text : '')).join('');

describe('RunView', () => {
  it('drops a batch that comes twice', () => {
    const view = new RunView();
    const seen = collect(view, [
      batch(1, [delta(0, 'ab')]),
      batch(1, [delta(0, 'ab')]),
      batch(2, [delta(2, 'c')]),
    ]);
    expect(textOf(seen)).toBe('abc');
  });

  it('sees a gap in the numbers', () => {
    const view = new RunView();
    collect(view, [batch(1, [delta(0, 'ab')])]);
    expect(view.isGapBefore(batch(2, []))).toBe(false);
    expect(view.isGapBefore(batch(3, []))).toBe(true);
  });

  it('takes only what is new of a text that starts over', () => {
    const view = new RunView();
    const seen = collect(view, [batch(4, [delta(0, 'abc')]), batch(5, [delta(0, 'abcdef')])]);
    expect(textOf(seen)).toBe('abcdef');
    expect(seen).toEqual([delta(0, 'abc'), delta(3, 'def')]);
  });

  it('leaves out text that joins nothing, and gets it from the end', () => {
    const view = new RunView();
    const seen = collect(view, [
      batch(1, [delta(0, 'ab')]),
      batch(3, [delta(4, 'ef')]),
      batch(4, [end('abcdef')]),
    ]);
    expect(textOf(seen)).toBe('abcdef');
    expect(seen.at(-1)).toEqual(end('abcdef'));
  });

  it('ignores everything after the end', () => {
    const view = new RunView();
    const seen = collect(view, [
      batch(1, [delta(0, 'ab')]),
      batch(2, [delta(2, 'c')], 2),
      batch(3, [end('abc')], 2),
      batch(4, [end('abcX')], 3),
    ]);
    expect(textOf(seen)).toBe('abc');
    expect(seen.filter(({ type }) => type === 'run.completed')).toHaveLength(1);
  });

  it('closes a hole with batches that come late, after newer ones', () => {
    const view = new RunView();
    const [first, second, third] = [
      batch(1, [delta(0, 'a')]),
      batch(2, [delta(1, 'b')]),
      batch(3, [delta(2, 'c')], 2),
    ];
    expect(textOf(collect(view, [first, third]))).toBe('a');
    expect(view.torn).toBe(true);
    expect(textOf(collect(view, [first, second, third]))).toBe('bc');
    expect(view.torn).toBe(false);
  });

  it('tells of a tool once', () => {
    const view = new RunView();
    const tool: RunEvent = { type: 'tool.called', tool: 't', result: '[]' };
    expect(collect(view, [batch(1, [tool]), batch(1, [tool])])).toEqual([tool]);
  });

  it('tells once of an agent and a note, also when EVENTS was lost and all is said again', () => {
    const view = new RunView();
    const marks: RunEvent[] = [
      { type: 'agent.chosen', agent: 'specs' },
      { type: 'run.noted', text: 'a server is left out' },
    ];
    const other: RunEvent = { type: 'agent.chosen', agent: 'service' };
    const seen = collect(view, [batch(1, marks), batch(2, [...marks, delta(0, 'a')]), batch(3, [other])]);
    expect(seen).toEqual([...marks, delta(0, 'a'), other]);
    expect(view.marks).toBe(3);
  });

  it('replays to a reader what comes behind what they have seen', () => {
    const view = new RunView();
    const starting: RunEvent = { type: 'step.started', step: 'starting' };
    const chosen: RunEvent = { type: 'agent.chosen', agent: 'specs' };
    collect(view, [batch(1, [starting, delta(0, 'ab')]), batch(2, [chosen, delta(2, 'cd')])]);
    const late: RunEvent[] = [];
    view.replay((event) => late.push(event), { at: 1, marks: 1 });
    expect(late).toEqual([chosen, delta(1, 'bcd')]);
  });

  it('keeps no more than 256 events besides text, and tells of the others all the same', () => {
    const view = new RunView();
    const tools = Array.from(
      { length: 300 },
      (_, n): RunEvent => ({ type: 'tool.called', tool: 't', result: `${n}` }),
    );
    expect(collect(view, [batch(1, tools)])).toHaveLength(300);
    expect(view.marks).toBe(256);
  });

  it('does not let a late text be a part of a failed answer', () => {
    const view = new RunView();
    const failed: RunEvent = { type: 'run.failed', code: 'PROCESSING_ERROR', correlationId: 'c' };
    const seen = collect(view, [batch(1, [delta(0, 'ab'), failed]), batch(2, [delta(2, 'cd')])]);
    expect(seen).toEqual([delta(0, 'ab'), failed]);
    expect(view.text).toBe('ab');
  });

  it('replays to a late reader what an early one has seen', () => {
    const view = new RunView();
    collect(view, [
      batch(1, [{ type: 'step.started', step: 'starting' }, delta(0, 'a"')]),
      batch(2, [delta(2, 'b'), end('a"b')]),
    ]);
    const late: RunEvent[] = [];
    view.replay((event) => late.push(event));
    expect(late).toEqual([{ type: 'step.started', step: 'starting' }, delta(0, 'a"b'), end('a"b')]);
    expect(JSON.parse(`"${view.textJson}"`)).toBe('a"b');
  });

  it('adds up to the answer under any loss, repeat and takeover', () => {
    const answer = 'The engine delivers 110 kW at 5,000 rpm and 240 Nm from 1,750 rpm.';
    for (let seed = 1; seed <= 500; seed += 1) {
      const random = generator(seed);
      const view = new RunView();
      const seen: RunEvent[] = [];
      let at = 0;
      for (let n = 1, claim = 1; at < answer.length; n += 1) {
        const from = random(4) === 0 ? random(at + 1) : at;
        const to = Math.min(answer.length, at + 1 + random(6));
        if (random(10) === 0) claim += 1;
        const one = batch(n, [delta(from, answer.slice(from, to))], claim);
        for (let copies = random(5) === 0 ? 0 : 1 + random(2); copies > 0; copies -= 1) {
          view.apply(one, (event) => seen.push(event));
        }
        at = to;
      }
      view.apply(batch(1_000, [end(answer)], 99), (event) => seen.push(event));
      expect(textOf(seen)).toBe(answer);
      expect(seen.filter(({ type }) => type === 'run.completed')).toHaveLength(1);
    }
  });
});

function generator(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state >>> 8) % below;
  };
}
