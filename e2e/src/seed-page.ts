/**
 * A page for the JavaScript of seeds/001: runs what the parent sends, in one global scope.
 *
 * Stands in for a browser tab: Node's own `WebSocket`, and a `document` with the one element
 * that the seed's client writes to.
 */
import { runInThisContext } from 'node:vm';

const elements = new Map<string, { textContent: string }>([['response', { textContent: '' }]]);
Object.assign(globalThis, { document: { getElementById: (id: string) => elements.get(id) ?? null } });

process.on('message', ({ id, script }: { id: number; script: string }) => {
  // Like a script element: `class` and `const` stay visible to the next one.
  const value: unknown = runInThisContext(script);
  process.send?.({ id, value: typeof value === 'object' ? null : value });
});
process.on('disconnect', () => process.exit(0));
