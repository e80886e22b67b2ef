/** The headers of the page, and what its file may hold. */
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadTestPage } from '../../src/page/test-page.ts';

describe('loadTestPage', () => {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'natter-page-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  function load(html: string) {
    const file = join(folder, 'page.html');
    writeFileSync(file, html);
    return loadTestPage(pathToFileURL(file));
  }

  it('allows exactly the script and the style of the page by their digests', () => {
    const { headers } = load('<style>a{}</style><script type="module">\nrun();\n</script>');
    const sha256 = (content: string) => createHash('sha256').update(content).digest('base64');
    const policy = headers['content-security-policy']?.split('; ');
    expect(policy).toContain(`script-src 'sha256-${sha256('\nrun();\n')}'`);
    expect(policy).toContain(`style-src 'sha256-${sha256('a{}')}'`);
    expect(policy).toContain("default-src 'none'");
  });

  it.each([
    ['no script', '<style></style>'],
    ['two scripts', '<style></style><script></script><script></script>'],
    ['no style', '<script></script>'],
  ])('refuses a page with %s', (_what, html) => {
    expect(() => load(html)).toThrow(expect.objectContaining({ code: 'INVALID_PAGE' }));
  });

  it('may be neither framed nor stored nor named as a referrer', () => {
    const { headers } = loadTestPage();
    expect(headers['content-security-policy']).toContain("frame-ancestors 'none'");
    expect(headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
    });
  });

  it('has what the original page has, asks nobody else for anything, and stays small', () => {
    const { body } = loadTestPage();
    const html = body.toString('utf8');
    expect(html).toContain('WebSocket Chat Test');
    expect(html).toContain('ws.onopen');
    expect(html).not.toMatch(/https?:\/\//);
    expect(html).not.toMatch(/innerHTML|outerHTML|insertAdjacentHTML|document\.write|\bon[a-z]+="/);
    expect(body.length).toBeLessThanOrEqual(25_000);
  });
});
