/** A server that reads INSTREAM as clamd does, and answers what a test says. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';

export interface ScriptedClamd {
  address: { host: string; port: number };
  /** What connections have sent as parts of files, joined, in the order in which they came. */
  files: Buffer[];
  /** Connections that are open now. */
  open: number;
  /** Resolves once this many connections have come, in all. */
  connected(count: number): Promise<void>;
  stop(): Promise<void>;
}

export interface Script {
  /** At once, when a connection comes. */
  connected?: (socket: Socket) => void;
  /** After each part. */
  part?: (socket: Socket, bytesSoFar: number) => void;
  /** After the part of length 0. */
  end?: (socket: Socket, content: Buffer) => void;
}

const COMMAND = 'zINSTREAM\0';

export async function startScriptedClamd(script: Script): Promise<ScriptedClamd> {
  const files: Buffer[] = [];
  const sockets = new Set<Socket>();
  let connections = 0;
  const waiting: { count: number; resolve: () => void }[] = [];
  const server = createServer((socket) => {
    connections += 1;
    for (const { count, resolve } of waiting) if (connections >= count) resolve();
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    // A client that gives up resets the connection.
    socket.on('error', () => {});
    script.connected?.(socket);
    const index = files.push(Buffer.alloc(0)) - 1;
    let heard = Buffer.alloc(0);
    socket.on('data', (bytes) => {
      heard = Buffer.concat([heard, bytes]);
      if (heard.toString('latin1', 0, COMMAND.length) !== COMMAND) return;
      for (let at = COMMAND.length; ; ) {
        if (heard.length < at + 4) return;
        const length = heard.readUInt32BE(at);
        if (heard.length < at + 4 + length) return;
        if (length === 0) return script.end?.(socket, files[index]!);
        files[index] = Buffer.concat([files[index]!, heard.subarray(at + 4, at + 4 + length)]);
        // The command stands before what is left, as it was read already.
        heard = Buffer.concat([Buffer.from(COMMAND, 'latin1'), heard.subarray(at + 4 + length)]);
        script.part?.(socket, files[index].length);
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    address: { host: '127.0.0.1', port: (server.address() as AddressInfo).port },
    files,
    get open() {
      return sockets.size;
    },
    connected: (count) =>
      new Promise((resolve) => {
        waiting.push({ count, resolve });
        if (connections >= count) resolve();
      }),
    async stop() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
