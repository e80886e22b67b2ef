/** Patterns of paths, as uWebSockets.js reads them: a segment `:name` matches any but the empty one. */
import type { Route } from './route.ts';

/** Whether a path, still escaped, is one of the pattern. */
export function matchesPath(pattern: string, path: string): boolean {
  const expected = pattern.split('/');
  const segments = path.split('/');
  return (
    expected.length === segments.length &&
    expected.every((part, index) =>
      part.startsWith(':') ? segments[index] !== '' : part === segments[index],
    )
  );
}

/** The decoded parameters of a path that matches; null where an escape is malformed or no UTF-8. */
export function paramsOf(pattern: string, path: string): Map<string, string> | null {
  const params = new Map<string, string>();
  const segments = path.split('/');
  try {
    for (const [index, part] of pattern.split('/').entries())
      if (part.startsWith(':')) params.set(part.slice(1), decodeURIComponent(segments[index] ?? ''));
  } catch {
    return null;
  }
  return params;
}

/** Methods with which a path can be asked for, for the header Allow; empty for an unknown path. */
export function methodsOf(routes: readonly Route[], path: string): string[] {
  const methods = new Set<string>();
  for (const route of routes) {
    if (!matchesPath(route.path, path)) continue;
    methods.add(route.method);
    if (route.method === 'GET') methods.add('HEAD');
  }
  return [...methods];
}
