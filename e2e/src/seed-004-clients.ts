/**
 * The two clients of seeds/004, cut out of the document and run as they stand.
 *
 * Their placeholders are replaced, address and token, and nothing else. Both classes call methods
 * that the seed leaves to whoever uses them (`handleChatMessage`, `handle_typing_indicator`, …):
 * here these print what they were given, one line of JSON each.
 */
import { openSeedPage, runPython, type SeedPage, type SeedProgram } from './seed-clients.ts';
import { codeBelow } from './seed-document.ts';

/** The room in the usage of both clients. */
export const SEED_ROOM = 'room-123';

const JAVASCRIPT_METHODS = `
for (const name of ['handleChatMessage', 'handleTypingIndicator', 'handleFileUpload', 'handleError'])
  WebSocketChatClient.prototype[name] = (message) => console.log('js ' + JSON.stringify(message));
`;

const PYTHON_METHODS = `
async def show(self, message):
    print('py ' + json.dumps(message), flush=True)
    if message['type'] == 'chat' and message['data'].get('done'):
        self.answers = getattr(self, 'answers', 0) + 1

WebSocketChatClient.handle_chat_message = show
WebSocketChatClient.handle_typing_indicator = show
`;

/**
 * Node 22's own WebSocket (undici 6) fires no `close` when a connection can't be opened, which every
 * browser does: the seed's reconnect would end at the first gateway that is not back yet.
 */
const BROWSER_LIKE = `
globalThis.WebSocket = process.getBuiltinModule('node:module')
  .createRequire(${JSON.stringify(import.meta.filename)})('ws').WebSocket; 0
`;

/** A tab in which the JavaScript client runs, connected; its name is `client`. */
export async function openJavaScriptClient(port: number, token: string): Promise<SeedPage> {
  const page = openSeedPage();
  await page.run(BROWSER_LIKE);
  const [client, usage] = apart('JavaScript Client', '// Usage');
  // A script's value can't be an object.
  await page.run(withPlaceholders(`${client}${JAVASCRIPT_METHODS}${usage}; 0`, port, token));
  return page;
}

/** The Python client with its own usage: it connects, and stays. */
export function runPythonClient(port: number, token: string): SeedProgram {
  const [client, usage] = apart('Python Client', '# Usage');
  return runPython(
    withPlaceholders(
      `import logging\nlogging.basicConfig(level=logging.INFO)\n${client}${PYTHON_METHODS}${usage}`,
      port,
      token,
    ),
  );
}

/** The Python client: says something once it has seen an answer, sees its own answer, and goes. */
export function runPythonChat(port: number, token: string, text: string): SeedProgram {
  const [client] = apart('Python Client', '# Usage');
  const usage = `
async def main():
    client = WebSocketChatClient('your-ws-token', '${SEED_ROOM}')
    listening = asyncio.create_task(client.connect())
    async def seen(count):
        while getattr(client, 'answers', 0) < count:
            await asyncio.sleep(0.02)
    await asyncio.wait_for(seen(1), 60)
    await client.send_chat_message(${JSON.stringify(text)})
    await asyncio.wait_for(seen(2), 60)
    await client.close()
    await listening

asyncio.run(main())
`;
  return runPython(withPlaceholders(`${client}${PYTHON_METHODS}${usage}`, port, token));
}

/** Frames that a client has printed, in order. */
export function framesOf(program: SeedProgram): { type: string; data: Record<string, unknown> }[] {
  return [...program.printed().matchAll(/^(?:js|py) (\{.*\})$/gm)].map(([, json]) => JSON.parse(json ?? ''));
}

/** The class, and what the seed shows of its use. */
function apart(heading: string, mark: string): [client: string, usage: string] {
  const program = codeBelow(heading, '004');
  const at = program.indexOf(mark);
  if (at < 0) throw new Error(`seeds/004 has no ${mark} below ${heading}`);
  return [program.slice(0, at), program.slice(at)];
}

function withPlaceholders(program: string, port: number, token: string): string {
  return program.replaceAll('localhost:8000', `localhost:${port}`).replaceAll('your-ws-token', token);
}
