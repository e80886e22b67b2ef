/** The page `/ws/test` and the headers under which it runs nothing but its own code. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

export interface TestPage {
  body: Buffer;
  headers: Record<string, string>;
}

/** The file is not a page whose policy can be computed; the gateway does not start with it. */
export class TestPageError extends Error {
  readonly code = 'INVALID_PAGE';
}

/**
 * Reads the page and computes its headers; done once, at start.
 *
 * The policy names the page's one style and one script by their digest, so a script that an
 * answer smuggled in would not run, and the page needs no nonce per request. `'self'` covers
 * `ws:` and `wss:` to the same host and port (CSP level 3; Chrome 71, Safari 16).
 */
export function loadTestPage(file: URL = new URL('test-page.html', import.meta.url)): TestPage {
  const body = readFileSync(file);
  const html = body.toString('utf8');
  const policy = [
    "default-src 'none'",
    `script-src '${digest(only(html, 'script'))}'`,
    `style-src '${digest(only(html, 'style'))}'`,
    "connect-src 'self'",
    // The empty icon of the page, which keeps browsers from asking for /favicon.ico.
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    // innerHTML and its like throw, wherever they are called.
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ];
  return {
    body,
    // The edge adds x-content-type-options to every reply; twice would be `nosniff, nosniff`.
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': policy.join('; '),
      'referrer-policy': 'no-referrer',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
      'cache-control': 'no-store',
    },
  };
}

/** What stands between the tags of the page's only element of this name. */
function only(html: string, element: 'script' | 'style'): string {
  const found = [...html.matchAll(new RegExp(`<${element}[^>]*>(.*?)</${element}>`, 'gs'))];
  const content = found[0]?.[1];
  if (found.length !== 1 || content === undefined) {
    throw new TestPageError(`The page must have one <${element}> element; it has ${found.length}`);
  }
  return content;
}

/** A hash source of the policy: CSP level 3, section 2.3.1. */
function digest(content: string): string {
  return `sha256-${createHash('sha256').update(content).digest('base64')}`;
}
