import { type Closed, connect, UpgradeRefused } from '@natter/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Socket } from '../../src/session/socket.ts';
import type { SocketRoute, SocketSession } from '../../src/session/socket-session.ts';
import { type EdgeRig, startEdge } from './edge-rig.ts';

const UPGRADE = [
  'GET /any?name=late HTTP/1.1',
  'Host: x',
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Version: 13',
  '\r\n',
].join('\r\n');

let rig: EdgeRig;
let said: string[];
let sockets: Socket[];
let ended: PromiseWithResolvers<void>;

/** A wire that says what happens to it, and answers each frame with its kind and size. */
const wire = (path: string, more: Partial<SocketRoute> = {}): SocketRoute => ({
  path,
  maxFrameBytes: 1_000,
  originRefusal: 'http',
  accept(handshake) {
    const name = handshake.query('name') ?? '';
    said.push(`accept ${name}`);
    if (name === 'unacceptable') throw new Error('no');
    return (socket) => {
      sockets.push(socket);
      if (name === 'stillborn') throw new Error('no');
      return session(socket, name);
    };
  },
  ...more,
});

function session(socket: Socket, name: string): SocketSession {
  return {
    dueAtMs: name === 'later' ? 1_000 : 0,
    open: () => void said.push('open'),
    receive(bytes, isBinary) {
      const text = Buffer.from(bytes).toString();
      if (text === 'throw') throw new Error('a bug');
      said.push(`receive ${bytes.byteLength} ${isBinary}`);
      socket.send(`${bytes.byteLength} ${isBinary}`);
    },
    receivePing: () => void said.push('ping'),
    receivePong: () => void said.push('pong'),
    dropped: () => void said.push('dropped'),
    drained: () => void said.push('drained'),
    tick: (nowMs) => void said.push(`tick ${nowMs}`),
    close(reason) {
      said.push(`close ${reason}`);
      socket.close(4_000, `${name} ${reason}`);
    },
    ended() {
      said.push('ended');
      ended.resolve();
    },
  };
}

beforeEach(async () => {
  said = [];
  sockets = [];
  ended = Promise.withResolvers();
  const routes = [
    wire('/any'),
    wire('/large', { maxFrameBytes: 2_000_000 }),
    wire('/told', { originRefusal: 'close' }),
  ];
  rig = await startEdge([], { sockets: routes, maxConnections: 3, maxConnectionsPerAddress: 2 });
});

afterEach(() => rig.edge.drain(0));

const dial = (path: string, options = {}) => connect(`ws://127.0.0.1:${rig.port}${path}`, options);

describe('a session of any wire', () => {
  it('is called in order, from the upgrade to the end', async () => {
    const probe = await dial('/any?name=a');
    probe.socket.send('hello');
    probe.socket.send(Buffer.alloc(3));
    await expect.poll(() => probe.frames.length).toBe(2);
    rig.edge.tick(7);
    probe.socket.terminate();
    await ended.promise;
    expect(said).toEqual(['accept a', 'open', 'receive 5 false', 'receive 3 true', 'tick 7', 'ended']);
    rig.edge.tick(8);
    expect([said.at(-1), rig.edge.connections]).toEqual(['ended', 0]);
  });

  it('is not looked at before it is due', async () => {
    await dial('/any?name=later');
    await expect.poll(() => said).toEqual(['accept later', 'open']);
    rig.edge.tick(7);
    rig.edge.tick(1_000);
    expect(said).toEqual(['accept later', 'open', 'tick 1000']);
  });

  it('gets what is published to its topics', async () => {
    const probe = await dial('/any');
    await expect.poll(() => sockets.length).toBe(1);
    sockets[0]?.join('t');
    rig.edge.publish('t', '"one"');
    sockets[0]?.leave('t');
    rig.edge.publish('t', '"two"');
    sockets[0]?.send('"three"');
    await expect.poll(() => probe.frames).toEqual(['one', 'three']);
  });

  it('has frames as large as its wire allows', async () => {
    const [any, large] = [await dial('/any'), await dial('/large')];
    const closed = (await closedBy(any, Buffer.alloc(1_001))) satisfies Closed;
    expect(closed).toEqual({ code: 4_000, reason: ' frameTooLarge' });
    large.socket.send(Buffer.alloc(1_500_000));
    await expect.poll(() => large.frames).toEqual(['1500000 true']);
  });

  it('is closed when it fails, and nothing else', async () => {
    const [one, other] = [await dial('/any'), await dial('/any')];
    expect(await closedBy(one, 'throw')).toEqual({ code: 4_000, reason: ' internalError' });
    other.socket.send('x');
    await expect.poll(() => other.frames).toEqual(['1 false']);
  });

  it('that can’t begin is closed with 1011, or not upgraded', async () => {
    const probe = await dial('/any?name=stillborn');
    expect((await probe.closed).code).toBe(1011);
    const refused = await dial('/any?name=unacceptable').catch((err: unknown) => err);
    expect(refused).toBeInstanceOf(UpgradeRefused);
    expect((refused as UpgradeRefused).status).toBe(500);
    expect(rig.edge.connections).toBe(0);
  });

  it('learns of a foreign Origin over the socket, where its wire wants that', async () => {
    const origin = 'https://evil.example';
    await expect(dial('/any', { origin })).rejects.toMatchObject({ status: 403 });
    const probe = await dial('/told', { origin });
    expect(await probe.closed).toEqual({ code: 4_000, reason: ' forbiddenOrigin' });
    expect(said).not.toContain('open');
  });

  it('is one too many above the cap of its address', async () => {
    await Promise.all([dial('/any'), dial('/large')]);
    await expect(dial('/told')).rejects.toMatchObject({ status: 503 });
    expect(rig.edge.connections).toBe(2);
  });

  it('is told when the gateway stops', async () => {
    const probes = await Promise.all([dial('/any?name=a'), dial('/large?name=b')]);
    // A few don't wait for the time that many may take.
    await rig.edge.drain(60_000);
    const reasons = (await Promise.all(probes.map(({ closed }) => closed))).map(({ reason }) => reason);
    expect(reasons).toEqual(['a goingAway', 'b goingAway']);
  });

  it('is told too when it was accepted just before the gateway stops, and asks only then', async () => {
    const early = rig.raw();
    // An answer shows that it was accepted, also to whom the request is not for.
    early.socket.write('GET /any HTTP/1.1\r\nhost: x\r\n\r\n');
    await early.saw('426');
    const drained = rig.edge.drain(0);
    early.socket.write(UPGRADE);
    await Promise.all([drained, early.closed]);
    expect(early.text).toContain('101 Switching Protocols');
    expect(early.text).toContain('late goingAway');
  });
});

function closedBy(probe: Awaited<ReturnType<typeof connect>>, frame: string | Buffer): Promise<Closed> {
  probe.socket.send(frame);
  return probe.closed;
}
