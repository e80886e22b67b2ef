import { describe, expect, it } from 'vitest';
import { contentStems, likeness, stem } from '../../src/answer/words.ts';

describe('stem', () => {
  it.each([
    ['batteries', 'battery'],
    ['brakes', 'braking'],
    ['changed', 'changing'],
    ['services', 'service'],
    ['stopped', 'stop'],
  ])('makes %s and %s one word', (a, b) => {
    expect(stem(a)).toBe(stem(b));
  });

  it('leaves short and unlike words alone', () => {
    expect(['gas', 'bus', 'glass', 'speed', 'king'].map(stem)).toEqual([
      'gas',
      'bus',
      'glass',
      'speed',
      'king',
    ]);
  });
});

describe('contentStems', () => {
  it('drops filler words and keeps numbers whole', () => {
    expect(contentStems("What's the customer's 1,500 rpm torque?")).toEqual([
      'customer',
      '1,500',
      'rpm',
      'torqu',
    ]);
  });
});

describe('likeness', () => {
  it('sees a word in a longer one that begins with it', () => {
    expect([likeness('weigh', 'weight'), likeness('oil', 'oily'), likeness('engin', 'brak')]).toEqual([
      0.7, 0, 0,
    ]);
  });
});
