import { describe, expect, it } from 'vitest';
import { BehaviourControl } from '../../src/behaviour/behaviour-control.ts';

const question = { lastUserText: 'What is the engine power?', classification: false };
const classification = { ...question, classification: true };

describe('BehaviourControl', () => {
  it('keeps the fields that a change does not name', () => {
    const control = new BehaviourControl();
    control.set({ tokensPerSecond: 5 });
    control.set({ answer: 'echo' });
    expect(control.behaviour).toMatchObject({ tokensPerSecond: 5, answer: 'echo' });
  });

  it.each([
    { tokensPerSecond: -1 },
    { speed: 1 },
    { fault: { kind: 'status', status: 200 } },
    { fault: { kind: 'explode' } },
    'fast',
    null,
  ])('refuses %j and keeps what was', (change) => {
    const control = new BehaviourControl();
    expect(() => control.set(change)).toThrowError(expect.objectContaining({ code: 'invalid_behaviour' }));
    expect(control.behaviour.fault).toEqual({ kind: 'none' });
  });

  it('strikes as often as told', () => {
    const control = new BehaviourControl();
    control.set({ fault: { kind: 'hang', times: 2 } });
    const kinds = [1, 2, 3].map(() => control.takeFault(question).kind);
    expect(kinds).toEqual(['hang', 'hang', 'none']);
  });

  it('spares requests that do not match', () => {
    const control = new BehaviourControl();
    control.set({ fault: { kind: 'hang', times: 1, matching: 'torque' } });
    expect(control.takeFault(question).kind).toBe('none');
    expect(control.takeFault({ ...question, lastUserText: 'And the torque?' }).kind).toBe('hang');
  });

  it('lets classifications pass where a stream is to break', () => {
    const control = new BehaviourControl();
    control.set({ fault: { kind: 'cut', afterTokens: 3 } });
    expect(control.takeFault(classification).kind).toBe('none');
    expect(control.takeFault(question).kind).toBe('cut');
    control.set({ fault: { kind: 'hang', on: 'classifications' } });
    expect(control.takeFault(classification).kind).toBe('hang');
    expect(control.takeFault(question).kind).toBe('none');
  });
});
