/** One address for several gateways, as a load balancer in front of them has: passes bytes on. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';

export interface LogDoor {
  port: number;
  /** Where connections lead that are made from now on. */
  target: number;
  close(): void;
}

export async function openLogDoor(target: number): Promise<LogDoor> {
  const server = createServer((client) => {
    const behind = connect(door.target, '127.0.0.1');
    const end = () => {
      client.destroy();
      behind.destroy();
    };
    for (const socket of [client, behind]) socket.on('error', end).on('close', end);
    client.pipe(behind).pipe(client);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const door: LogDoor = { port, target, close: () => void server.close() };
  return door;
}
