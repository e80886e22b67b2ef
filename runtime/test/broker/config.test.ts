import { expect, test } from 'vitest';
import { brokerConfig } from '../../src/broker/config.ts';

const config = brokerConfig({ port: 4321, storeDir: '/data/a "b"', extra: 'debug: true\n' });

test('the broker listens on 127.0.0.1 only, and for clients only', () => {
  expect(config).toContain('listen: "127.0.0.1:4321"');
  expect(config).not.toMatch(/^\s*(websocket|mqtt|leafnodes|http|monitor_port|cluster|gateway)\b/m);
});

test('acknowledged messages are synced to disk, and messages may have 2 MB', () => {
  expect(config).toMatch(/jetstream \{[^}]*sync_interval: always[^}]*\}/);
  expect(config).toContain('max_payload: 2MB');
});

test('a path with quotes stays one value, and extra lines come last', () => {
  expect(config).toContain('store_dir: "/data/a \\"b\\""');
  expect(config.endsWith('debug: true\n')).toBe(true);
});
