import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { findViolations } from '../boundaries/find-violations.ts';
import { importsOf } from '../boundaries/imports-of.ts';

const declared = new Map([
  ['', new Set(['vitest'])],
  ['proto', new Set(['zod'])],
  ['runtime', new Set(['@natter/proto', '@nats-io/kv', 'pino'])],
  ['services/gateway', new Set(['@natter/proto', '@natter/runtime', 'uWebSockets.js'])],
  ['services/auth', new Set(['@natter/runtime', 'jose'])],
  ['testkit', new Set(['ws'])],
]);
const workspaces = new Map([
  ['@natter/proto', 'proto'],
  ['@natter/runtime', 'runtime'],
  ['@natter/auth', 'services/auth'],
  ['@natter/testkit', 'testkit'],
]);

function violations(file: string, source: string): string[] {
  return findViolations({ files: new Map([[file, source]]), declared, workspaces });
}

describe('an import that keeps to its room is fine', () => {
  test.each([
    ['proto/src/turn.ts', "import { z } from 'zod';"],
    ['runtime/src/bus/bucket.ts', "import type { KV } from '@nats-io/kv';"],
    ['services/gateway/src/edge/server.ts', "import { App } from 'uWebSockets.js';"],
    ['services/gateway/src/app.ts', "import { Bus } from '@natter/runtime';"],
    ['services/gateway/test/app.it.test.ts', "import { startNatsServer } from '@natter/testkit';"],
    ['services/gateway/test/app.test.ts', "import { test } from 'vitest';"],
    ['services/gateway/test/edge.it.test.ts', "import { WebSocket } from 'ws';"],
    ['services/auth/src/keys/own-keys.ts', "import { importJWK } from 'jose';"],
    ['scripts/service-settings.ts', "import { AUTH_SETTINGS } from '../services/auth/src/config.ts';"],
    ['scripts/start.ts', "import { Bus } from '@natter/runtime';"],
  ])('%s: %s', (file, source) => expect(violations(file, source)).toEqual([]));
});

describe('an import across a boundary is named', () => {
  test.each([
    ['proto/src/turn.ts', "import { createHash } from 'node:crypto';", 'without built-in modules'],
    ['proto/src/turn.ts', "import { pino } from 'pino';", 'only zod may be imported'],
    ['proto/src/turn.ts', "import { Bus } from '@natter/runtime';", 'proto may not import runtime'],
    ['runtime/src/health.ts', "import { Kvm } from '@nats-io/kv';", 'this package stays in runtime/src/bus'],
    ['services/gateway/src/app.ts', "import { x } from '@natter/auth';", 'may not import services/auth'],
    [
      'services/gateway/src/app.ts',
      "import { x } from '../../auth/src/app.ts';",
      'may not import services/auth',
    ],
    [
      'services/gateway/test/app.test.ts',
      "import { x } from '../../auth/src/app.ts';",
      'may not import services/auth',
    ],
    [
      'services/gateway/src/session/session.ts',
      "import type { WebSocket } from 'uWebSockets.js';",
      'stays in',
    ],
    ['services/gateway/src/app.ts', "import { connect } from '@natter/testkit';", 'may not import testkit'],
    ['services/auth/src/app.ts', "import { SignJWT } from 'jose';", 'this package stays in'],
    ['services/gateway/src/app.ts', "import { pino } from 'pino';", 'package.json does not declare it'],
    ['services/gateway/src/app.ts', "import { test } from 'vitest';", 'package.json does not declare it'],
    [
      'scripts/start.ts',
      "import { startAuth } from '../services/auth/src/app.ts';",
      'scripts may not import',
    ],
  ])('%s: %s', (file, source, reason) =>
    expect(violations(file, source)).toEqual([expect.stringContaining(reason)]),
  );
});

test('every form of import is seen, and a comment that quotes one is not', () => {
  const source = readFileSync(new URL('./every-import.txt', import.meta.url), 'utf8');
  expect(importsOf(source).sort()).toEqual(['a', 'b', 'c', 'd', 'd/types', 'e', 'f']);
});
