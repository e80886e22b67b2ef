import { expect, it } from 'vitest';
import { minimise } from '../../src/fuzz/minimise.ts';

const bytes = (text: string) => Buffer.from(text);

it('leaves what is needed, however it lies', () => {
  const fails = (frame: Uint8Array) => ['a', 'z'].every((part) => Buffer.from(frame).includes(part));
  const found = minimise(bytes(`${'x'.repeat(300)}a${'y'.repeat(500)}z${'x'.repeat(77)}`), fails);
  expect(Buffer.from(found).toString()).toBe('az');
});

it('can leave nothing at all, and leaves a frame that fails only as it is', () => {
  expect(minimise(bytes('whatever'), () => true)).toHaveLength(0);
  const whole = bytes('all of it');
  expect(Buffer.from(minimise(whole, (frame) => whole.equals(frame)))).toEqual(whole);
});
