/** Who may import whom, as data; docs/directory-structure.md says it in words. */

export interface Room {
  /** Folder below the repository root; the longest that matches a file is its room. */
  folder: string;
  /** Rooms its sources may import, besides itself. A path below a room allows only that part. */
  may: string[];
}

const SERVICE_MAY = ['runtime', 'proto'];

export const ROOMS: Room[] = [
  { folder: 'proto', may: [] },
  { folder: 'runtime', may: ['proto'] },
  { folder: 'demo-model', may: [] },
  { folder: 'services/gateway', may: SERVICE_MAY },
  { folder: 'services/agent', may: SERVICE_MAY },
  { folder: 'services/auth', may: SERVICE_MAY },
  { folder: 'services/uploads', may: SERVICE_MAY },
  // It signs tokens with the auth service's own code: another signer could drift from it.
  { folder: 'testkit', may: ['runtime', 'proto', 'demo-model', 'services/auth'] },
  { folder: 'e2e', may: ['testkit', 'runtime', 'proto', 'demo-model'] },
  // It fuzzes the readers of what strangers write, without a process around them.
  {
    folder: 'bench',
    may: [
      'testkit',
      'runtime',
      'proto',
      'demo-model',
      'services/gateway/src/dialects',
      'services/gateway/src/session/dialect.ts',
      'services/gateway/src/session/logs/log-wire.ts',
      'services/gateway/src/bus/cursor.ts',
      'services/gateway/src/rest/files/byte-range.ts',
      'services/gateway/src/rest/tus/tus-headers.ts',
    ],
  },
  // The checks and the reference read what services and requirements declare, never what they do.
  {
    folder: 'scripts',
    may: [
      'runtime',
      'proto',
      'e2e/requirements',
      'services/gateway/src/config.ts',
      'services/gateway/src/metrics.ts',
      'services/agent/src/config.ts',
      'services/agent/src/metrics.ts',
      'services/auth/src/config.ts',
      'services/auth/src/metrics.ts',
      'services/uploads/src/config.ts',
      'services/uploads/src/metrics.ts',
      'bench/src/report',
    ],
  },
];

/** What tests may import beyond what their room may. */
export const TESTS_MAY = ['testkit', 'runtime', 'proto'];

export interface Vendor {
  /** Name of a package; `*` at its end stands for any rest. */
  package: string;
  /** Folders that may import it. */
  rooms: string[];
}

/** Vendor types stay in their room, so that a vendor can be replaced there. Bench compares with peers. */
export const VENDORS: Vendor[] = [
  { package: 'uWebSockets.js', rooms: ['services/gateway/src/edge', 'bench'] },
  { package: '@nats-io/*', rooms: ['runtime/src/bus', 'runtime/test', 'bench'] },
  {
    package: 'openai',
    rooms: ['services/agent/src/model/openai', 'services/agent/test', 'demo-model/test', 'bench'],
  },
  {
    package: 'jose',
    rooms: ['services/auth/src/tokens', 'services/auth/src/keys', 'services/auth/test', 'bench'],
  },
  { package: 'file-type', rooms: ['services/uploads/src/kinds'] },
  { package: 'unpdf', rooms: ['services/uploads/src/text'] },
  { package: 'yauzl', rooms: ['services/uploads/src/text'] },
  { package: 'saxes', rooms: ['services/uploads/src/text'] },
];

/** Sources that run in a browser too: no built-in module, and no package but these. */
export const BROWSER_SAFE = { folder: 'proto/src', packages: ['zod'] };
