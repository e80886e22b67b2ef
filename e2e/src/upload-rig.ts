/** Uploads that survive: a stack whose broker is watched, files of each wire, and what became of them. */
import { randomBytes } from 'node:crypto';
import { STREAMS } from '@natter/proto';
import {
  type NatsServer,
  type Probe,
  type Stack,
  type StackOptions,
  startNatsServer,
  startStack,
} from '@natter/testkit';
import { expect } from 'vitest';
import { type BrokerWatch, watchBroker } from './broker-watch.ts';
import { ANSWER_MS } from './chat.ts';
import { FramesUpload } from './frames-upload.ts';
import type { ResumingUpload } from './resuming-upload.ts';
import { join, openRooms, settled } from './rooms-chat.ts';
import { TusUpload } from './tus-upload.ts';
import { type FileToUpload, sha256Of } from './uploading-client.ts';

export const UPLOAD_WIRES = ['base64', 'binary', 'tus'] as const;
export type UploadWire = (typeof UPLOAD_WIRES)[number];

/** A file in a room, a member who watches the room, and its upload over one wire. */
export interface SharedUpload {
  upload: ResumingUpload;
  content: Buffer;
  member: Probe;
}

export class UploadRig {
  readonly nats: NatsServer;
  readonly stack: Stack;
  readonly watch: BrokerWatch;
  /** Token of who uploads. */
  readonly owner: string;
  readonly #member: string;
  #rooms = 0;

  static async start(options: StackOptions = {}): Promise<UploadRig> {
    const nats = await startNatsServer();
    try {
      const env = { WS_RATE_LIMIT_REQUESTS: '10000', NATTER_STORE_TIMEOUT_MS: '60000', ...options.env };
      const stack = await startStack({ gateways: 2, uploads: 2, ...options, env, nats });
      const tokens = await Promise.all(
        ['alice', 'bob'].map((sub) => stack.token({ sub, name: sub.toUpperCase() })),
      );
      return new UploadRig(nats, stack, await watchBroker(nats), tokens);
    } catch (error) {
      await nats.stop();
      throw error;
    }
  }

  private constructor(
    nats: NatsServer,
    stack: Stack,
    watch: BrokerWatch,
    [owner = '', member = '']: string[],
  ) {
    this.nats = nats;
    this.stack = stack;
    this.watch = watch;
    this.owner = owner;
    this.#member = member;
  }

  async stop(): Promise<void> {
    await this.watch.stop();
    await this.stack.stop();
    await this.nats.stop();
  }

  /** A file of so many parts in a room of its own, which has not begun yet. */
  async shared(wire: UploadWire, parts: number, partBytes: number): Promise<SharedUpload> {
    const { stack } = this;
    this.#rooms += 1;
    const room = `upload-${this.#rooms}`;
    const maker = await openRooms(stack.url(0), this.owner);
    await join(maker, room, { room_type: 'shared', ai: 'never' });
    await maker.close();
    const member = await openRooms(stack.url(1), this.#member);
    await join(member, room);
    const content = textOf(parts * partBytes - 7);
    const file: FileToUpload = { name: `${wire}.txt`, content, room, partBytes, base64: wire === 'base64' };
    const upload =
      wire === 'tus' ? new TusUpload(stack, this.owner, file) : new FramesUpload(stack, this.owner, file);
    return { upload, content, member };
  }

  /** Byte for byte on every gateway, once in the log, shown once to the member, and nothing of the upload left. */
  async expectShared({ upload, content, member }: SharedUpload): Promise<void> {
    const { id } = upload;
    for (const [index] of this.stack.gateways.entries())
      expect(sha256Of(await this.download(id, index))).toBe(sha256Of(content));
    const isCompleted = ({ type, data }: { type: string; data: Record<string, unknown> }) =>
      type === 'file_upload' && data.upload_type === 'completed' && data.file_id === id;
    await expect.poll(() => member.frames.filter(isCompleted).length, { timeout: ANSWER_MS }).toBe(1);
    await settled(member);
    expect(member.frames.filter(isCompleted)).toHaveLength(1);
    expect(await this.entriesOf(id)).toHaveLength(1);
    const left = async () => [
      ...(await this.watch.subjects(STREAMS.chunks, `chunk.${id}.>`)),
      ...(await this.watch.subjects('KV_uploads', `$KV.uploads.*.${id}`)),
    ];
    // A part that was under way when its connection broke may be taken away a moment later.
    await expect.poll(left, { timeout: ANSWER_MS }).toEqual([]);
    upload.cut();
    await member.close();
  }

  /** Entries of all logs that say that this file was shared. */
  async entriesOf(id: string): Promise<unknown[]> {
    const entries = (await this.watch.values(STREAMS.messages, 'msg.conv.*.log')) as {
      type?: string;
      file?: string;
    }[];
    return entries.filter(({ type, file }) => type === 'file.shared' && file === id);
  }

  async download(id: string, gateway = 0): Promise<Buffer> {
    const headers = { authorization: `Bearer ${this.#member}` };
    const response = await fetch(`${this.stack.httpUrl(gateway)}/api/v1/files/${id}`, { headers });
    expect(response.status).toBe(200);
    return Buffer.from(await response.arrayBuffer());
  }
}

/** Text that is the same at no two places. */
export function textOf(bytes: number): Buffer {
  return Buffer.from(randomBytes(bytes).toString('base64').slice(0, bytes));
}
