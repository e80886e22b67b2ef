/** Peer: uWebSockets.js alone, which hashes the parts of one file at a time and writes them to it. */

import { App, us_socket_local_port } from 'uWebSockets.js';
import { createHash, type Hash, randomUUID } from 'node:crypto';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BINARY_HEADER_BYTES, PART_BYTES } from '../../load/part-frames.ts';
import { serveParent } from '../serve-parent.ts';

export type RawSinkRequest = 'port';

let sink: { hash: Hash; fd: number } | null = null;

const port = await new Promise<number>((resolve, reject) => {
  App()
    .ws('/*', {
      idleTimeout: 0,
      maxPayloadLength: 2 * PART_BYTES,
      message: (socket, message, isBinary) => {
        const bytes = Buffer.from(message);
        const data = isBinary ? part(bytes) : command(JSON.parse(bytes.toString()).data);
        socket.send(JSON.stringify({ type: 'file_upload', data }));
      },
    })
    .listen('127.0.0.1', 0, (socket) => {
      if (socket === false) reject(new Error('no port'));
      // The types of the package take its own kind of socket here.
      else resolve(us_socket_local_port(socket as unknown as Parameters<typeof us_socket_local_port>[0]));
    });
});

/** Hashed and written from where uWebSockets.js has it: a copy would be the peer's to pay. */
function part(frame: Buffer): object {
  if (sink === null) throw new Error('a part before init');
  const data = frame.subarray(BINARY_HEADER_BYTES);
  sink.hash.update(data);
  writeSync(sink.fd, data);
  return { upload_type: 'chunk', chunk_index: frame.readUInt32BE(BINARY_HEADER_BYTES - 4) };
}

function command({ upload_type, checksum }: { upload_type: string; checksum?: string }): object {
  if (upload_type === 'init') {
    sink = { hash: createHash('sha256'), fd: openFile() };
    return { upload_type, file_id: randomUUID() };
  }
  if (sink === null) throw new Error('an end before init');
  const isRight = sink.hash.digest('hex') === checksum;
  closeSync(sink.fd);
  sink = null;
  return { upload_type, status: isRight ? 'ready' : 'another one than was sent' };
}

/** Without a name, so that nothing is left however this process ends. */
function openFile(): number {
  const dir = mkdtempSync(join(tmpdir(), 'natter-bench-sink-'));
  const fd = openSync(join(dir, 'file'), 'w');
  rmSync(dir, { recursive: true });
  return fd;
}

serveParent<RawSinkRequest, number>(() => port);
