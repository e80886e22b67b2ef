/**
 * Node's http module, without undici.
 *
 * `import` of `node:http` reads each of its exports, and one, `WebSocket`, loads all of undici: 6 MB
 * and 25 ms of each start. `require` doesn't.
 */
import { createRequire } from 'node:module';

export const http = createRequire(import.meta.url)('node:http') as typeof import('node:http');
