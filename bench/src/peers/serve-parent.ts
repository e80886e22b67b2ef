/** The other end of HelperProcess: answers each request, and ends with the parent. */

export function serveParent<Request, Reply>(handle: (request: Request) => Reply | Promise<Reply>): void {
  process.on('disconnect', () => process.exit(0));
  process.on('message', async (request: Request) => {
    try {
      process.send?.({ reply: (await handle(request)) ?? null });
    } catch (error) {
      process.send?.({ failed: String((error as Error).stack ?? error) });
    }
  });
  process.send?.({ reply: 'ready' });
}
