import { describe, expect, it } from 'vitest';
import { clamdAddress } from '../../src/scan/clamd-address.ts';

describe('clamdAddress', () => {
  it.each([
    ['127.0.0.1:3310', { host: '127.0.0.1', port: 3310 }],
    ['clamd.example:1', { host: 'clamd.example', port: 1 }],
    ['[::1]:3310', { host: '::1', port: 3310 }],
    ['/run/clamav/clamd.ctl', { path: '/run/clamav/clamd.ctl' }],
  ])('reads %j', (text, address) => {
    expect(clamdAddress(text)).toEqual(address);
  });

  it.each(['', 'localhost', ':3310', 'localhost:0', 'localhost:65536', '::1:3310', 'run/clamd.ctl', 'a b:1'])(
    'reads no address in %j',
    (text) => {
      expect(clamdAddress(text)).toBeNull();
    },
  );
});
