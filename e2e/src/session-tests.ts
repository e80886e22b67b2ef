/** The tests of seeds/002 as one Python program that needs nothing but `websockets`. */
import { codeBelow } from './seed-document.ts';

/**
 * Stands in for what the tests import: `pytest` only marks here, and the seed's application is the
 * gateway, reached by a TestClient of the same calls over a real socket. `json` and `asyncio` are
 * used in the seed without an import.
 */
const BEFORE = `
import asyncio, json, sys, types
import websockets

def module(name, **members):
    sys.modules[name] = types.ModuleType(name)
    vars(sys.modules[name]).update(members)

class Session:
    def __init__(self, url):
        self.url, self.loop = url, asyncio.new_event_loop()

    def run(self, made):
        return self.loop.run_until_complete(asyncio.wait_for(made, 30))

    def __enter__(self):
        async def open(): return await websockets.connect(self.url)
        self.socket = self.run(open())
        return self

    def __exit__(self, *_):
        self.run(self.socket.close())
        self.loop.close()

    def send_json(self, value):
        self.run(self.socket.send(json.dumps(value)))

    def receive_json(self):
        return json.loads(self.run(self.socket.recv()))

class TestClient:
    def __init__(self, app): self.app = app
    def websocket_connect(self, path): return Session(self.app + path)

module('fastapi')
module('fastapi.testclient', TestClient=TestClient)
module('src')
module('src.api')
module('src.api.main', app='ws://localhost:8000')
module('pytest', mark=types.SimpleNamespace(asyncio=lambda test: test))
`;

const AFTER = `
for name, test in list(globals().items()):
    if name.startswith('test_'):
        asyncio.run(test()) if asyncio.iscoroutinefunction(test) else test()
        print('passed', name)
`;

/** Both tests verbatim but for the port; prints `passed <name>` for each. */
export function seedTests(gatewayPort: number): string {
  return [BEFORE, codeBelow('Unit Test', '002'), codeBelow('Integration Test', '002'), AFTER]
    .join('\n')
    .replaceAll('localhost:8000', `localhost:${gatewayPort}`);
}
