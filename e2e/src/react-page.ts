/** Opens the application of `react-app.ts` in Chromium, where the seed's addresses lead to a stack. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { findChromium } from '@natter/testkit';
import { type Browser, chromium, type Page } from 'playwright-core';
import { buildReactPage } from './react-app.ts';

/** The seed's own frontend address, and an Origin that is allowed in development. */
const PAGE_URL = 'http://localhost:3000/';

export interface ReactBrowser {
  /** A new tab with the application loaded and nothing rendered. */
  openTab(): Promise<Page>;
  close(): Promise<void>;
}

/**
 * Builds the application and starts a browser for it.
 *
 * The browser itself takes `localhost:8000` to the gateway's port, so the built code is the seed's,
 * address included, and so is its `WebSocket`.
 */
export async function openReactBrowser(gatewayPort: number): Promise<ReactBrowser> {
  const html = await buildReactPage();
  const server = createServer((request, response) => {
    if (request.url !== '/') return response.writeHead(404).end();
    return response.writeHead(200, { 'content-type': 'text/html' }).end(html);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const close = async (browser?: Browser) => {
    await browser?.close();
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  };
  try {
    const browser = await chromium.launch({
      executablePath: findChromium() ?? undefined,
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-sync',
        `--host-resolver-rules=MAP localhost:8000 127.0.0.1:${gatewayPort}, MAP localhost:3000 127.0.0.1:${port}`,
      ],
    });
    const openTab = async () => {
      const page = await (await browser.newContext({ viewport: { width: 900, height: 500 } })).newPage();
      await page.goto(PAGE_URL);
      return page;
    };
    return { openTab, close: () => close(browser) };
  } catch (error) {
    await close();
    throw error;
  }
}
