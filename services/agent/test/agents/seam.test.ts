import { describe, expect, it } from 'vitest';
import { Seam } from '../../src/agents/seam.ts';

function pass(published: string, pieces: string[]): string {
  const seam = new Seam(published);
  return pieces.map((piece) => seam.push(piece)).join('') + seam.end();
}

/** A small generator with a seed (mulberry32), so that a failure can be repeated. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Two letters only, so that texts often share beginnings. */
const textOf = (next: () => number, longest: number) =>
  Array.from({ length: Math.floor(next() * (longest + 1)) }, () => (next() < 0.7 ? 'a' : 'b')).join('');

function cut(text: string, next: () => number): string[] {
  const pieces: string[] = [];
  for (let at = 0; at < text.length; ) {
    const end = at + 1 + Math.floor(next() * 4);
    pieces.push(text.slice(at, end));
    at = end;
  }
  return pieces;
}

const CASES = Array.from({ length: 2_000 }, (_, seed) => seed);

describe('Seam', () => {
  it('lets everything through where nothing was published', () => {
    expect(new Seam('').open).toBe(true);
    expect(pass('', ['a', 'b'])).toBe('ab');
  });

  it('lets a continuation through at its first differing letter', () => {
    const seam = new Seam('The engine');
    expect(seam.push(' has')).toBe(' has');
    expect(seam.open).toBe(true);
  });

  it('holds a repeat back and lets only the rest out', () => {
    const seam = new Seam('The engine');
    expect(seam.push('The ')).toBe('');
    expect(seam.push('engine has')).toBe(' has');
    expect(seam.push(' power')).toBe(' power');
  });

  it('gives back what looked like a repeat and was none', () => {
    expect(pass('The engine', ['The ', 'power'])).toBe('The power');
  });

  it('gives back a beginning that stops short', () => {
    expect(pass('The engine', ['The'])).toBe('The');
  });

  it('removes exactly one repeat, for any texts and however they are cut', () => {
    for (const seed of CASES) {
      const next = random(seed);
      const published = textOf(next, 8);
      const rest = textOf(next, 8);
      expect(pass(published, cut(published + rest, next)), `seed ${seed}`).toBe(rest);
    }
  });

  it('changes nothing about a reply that is no repeat, however it is cut', () => {
    for (const seed of CASES) {
      const next = random(seed);
      const published = textOf(next, 8);
      const reply = textOf(next, 12);
      if (reply.startsWith(published)) continue;
      expect(pass(published, cut(reply, next)), `seed ${seed}`).toBe(reply);
    }
  });
});
