/** An uploads service on a test's own broker, asked as gateways ask: through the endpoint. */
import { createHash } from 'node:crypto';
import {
  type FileRecord,
  packUpload,
  STREAMS,
  SUBJECTS,
  type UploadProgress,
  UploadsReply,
  type UploadsRequest,
  unpackUpload,
} from '@natter/proto';
import { Bus, createLogger, ensureTopology, Metrics, type ServiceName } from '@natter/runtime';
import { type NatsServer, startNatsServer } from '@natter/testkit';
import { onTestFinished } from 'vitest';
import { endpointMetrics, Load, uploadsEndpoint } from '../src/endpoint.ts';
import { type Kept, KeptOpener } from '../src/kept.ts';
import type { Kinds, Scanner, Verdict } from '../src/ports.ts';
import { NatsStore } from '../src/store/nats/nats-store.ts';
import { Stores } from '../src/store/stores.ts';
import { Uploads, type UploadsParts } from '../src/uploads.ts';
import { type PartRequest, putPart } from './put-part.ts';

export const LOG = createLogger('test', 'silent');
export type Code = Extract<UploadsReply, { ok: false }>['code'];
export type Granted = Extract<UploadsReply, { ok: true }>;

/** A broker as `npm start` starts it, with what agents make; each service may do what it needs only. */
export async function brokerWithTopology(): Promise<NatsServer> {
  const server = await startNatsServer({ signIn: true });
  const agent = await connectAs(server, 'agent');
  await ensureTopology(agent, { replicas: 1, transcriptDays: 30 });
  await agent.close();
  return server;
}

export function connectAs(server: NatsServer, name: ServiceName): Promise<Bus> {
  return Bus.connect({ url: server.url, name, nkeyFile: server.keyFile(name) ?? null }, LOG);
}

/** Takes every name and every content. */
export const anyKind: Kinds = {
  safeFileName: (raw) => (raw === '' ? null : raw),
  allowedName: (name) => !name.endsWith('.exe'),
  judge: () => ({
    push: () => undefined,
    end: async () => ({ ok: true, type: 'text/plain', inline: false }),
  }),
};

/** A scanner that says what `verdict` returns. */
export function scannerThatSays(verdict: () => Verdict): Scanner {
  return {
    begin: async () => ({
      push: async () => undefined,
      end: async () => verdict(),
      abort: () => undefined,
    }),
    ping: async () => null,
  };
}

export interface Options extends Partial<Pick<UploadsParts, 'kinds' | 'scanner' | 'step' | 'ready'>> {
  now?: () => number;
  quotaBytes?: number;
  unfinishedBytes?: number;
  maxFileSize?: number;
  stores?: Stores;
}

/** What gateways ask, and a part that one of them stores. */
export type Asked = UploadsRequest | PartRequest;

export interface UploadsUnderTest {
  bus: Bus;
  /** Where parts come from. */
  gateway: Bus;
  kept: Kept;
  uploads: Uploads;
  ask(request: Asked, bytes?: Uint8Array): Promise<UploadsReply>;
  /** The answer of a request that must succeed. */
  granted(request: Asked, bytes?: Uint8Array): Promise<Granted>;
  /** The code of a request that must be refused; `ok` when it was not. */
  code(request: Asked, bytes?: Uint8Array): Promise<Code | 'ok'>;
  read(id: string, offset: number, length: number): Promise<Uint8Array>;
}

export async function uploadsUnderTest(server: NatsServer, options: Options = {}): Promise<UploadsUnderTest> {
  const bus = await connectAs(server, 'uploads');
  onTestFinished(() => bus.close());
  const gateway = await connectAs(server, 'gateway');
  onTestFinished(() => gateway.close());
  const now = options.now ?? Date.now;
  const stores = options.stores ?? new Stores(new NatsStore(bus));
  const { quotaBytes = 2 ** 30, unfinishedBytes = 2 ** 28 } = options;
  const opener = new KeptOpener({ bus, stores, replicas: 1, quotaBytes, unfinishedBytes, now });
  const limits = {
    maxFileSize: options.maxFileSize ?? 50 * 2 ** 20,
    uploadExpiryHours: 24,
  };
  const uploads = new Uploads({
    ...{ bus, log: LOG, now, limits, rescanMs: 30_000 },
    kinds: options.kinds ?? anyKind,
    scanner: options.scanner ?? scannerThatSays(() => ({ verdict: 'clean' })),
    finished: () => undefined,
    ready: options.ready ?? (() => undefined),
    ...(options.step === undefined ? {} : { step: options.step }),
  });
  const load = new Load();
  const counters = endpointMetrics(new Metrics('uploads'), load);
  const endpoint = uploadsEndpoint({ uploads, opener, counters, load, log: LOG });
  const answer = async (request: UploadsRequest) => {
    const data = packUpload(request);
    const message = { subject: SUBJECTS.uploads, data, header: () => undefined, respond: () => undefined };
    const unpacked = unpackUpload((await endpoint.handle(message)) as Uint8Array);
    return { reply: UploadsReply.parse(unpacked?.json), bytes: unpacked?.bytes ?? new Uint8Array() };
  };
  const ask = async (request: Asked, bytes: Uint8Array = new Uint8Array()): Promise<UploadsReply> =>
    request.op === 'chunk' ? putPart(gateway, ask, request, bytes) : (await answer(request)).reply;
  const granted = async (request: Asked, bytes?: Uint8Array) => {
    const reply = await ask(request, bytes);
    if (!reply.ok) throw new Error(`${request.op}: ${reply.code}`);
    return reply;
  };
  return {
    bus,
    gateway,
    uploads,
    kept: await opener.open(),
    granted,
    ask,
    code: async (request, bytes) => {
      const reply = await ask(request, bytes);
      return reply.ok ? 'ok' : reply.code;
    },
    read: async (id, offset, length) => {
      const { reply, bytes } = await answer({ op: 'read', id, offset, length });
      if (!reply.ok) throw new Error(`read: ${reply.code}`);
      return bytes;
    },
  };
}

export const CONVERSATION = 'alice=notes';

type Init = Extract<UploadsRequest, { op: 'init' }>;

export function initOf(size: number, more: Partial<Init> = {}): Init {
  return {
    ...{ op: 'init', sub: 'alice', name: 'Alice', fileName: 'notes.txt', size, declaredType: 'text/plain' },
    ...{ conversation: CONVERSATION, mode: 'indexed' },
    ...more,
  };
}

/** Begins an upload; returns what it is told. */
export async function begin(
  service: UploadsUnderTest,
  size: number,
  more: Partial<Init> = {},
): Promise<UploadProgress> {
  const { progress } = await service.granted(initOf(size, more));
  if (progress === undefined) throw new Error('an upload that began tells its progress');
  return progress;
}

export function chunkOf(id: string, index: number, total: number | null = null, sub = 'alice'): PartRequest {
  return { op: 'chunk', sub, id, position: { index, total } };
}

export function finalizeOf(id: string, content: Uint8Array | null, sub = 'alice') {
  return { op: 'finalize', sub, id, sha256: content === null ? null : sha256(content) } as const;
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Bytes that differ everywhere, so that a part in the wrong place shows. */
export function contentOf(size: number, seed = 1): Buffer {
  const bytes = Buffer.alloc(size);
  for (let at = 0; at + 4 <= size; at += 4)
    bytes.writeUInt32LE(Math.imul(at + seed, 2_654_435_761) >>> 0, at);
  return bytes;
}

/** Sends all parts; doesn't finish. */
export async function send(
  service: UploadsUnderTest,
  content: Uint8Array,
  partBytes: number,
  more: Partial<Init> = {},
): Promise<string> {
  const { id } = await begin(service, content.length, more);
  const total = Math.ceil(content.length / partBytes);
  for (let index = 0; index < total; index += 1) {
    const part = content.subarray(index * partBytes, (index + 1) * partBytes);
    await service.granted(chunkOf(id, index, total, more.sub ?? 'alice'), part);
  }
  return id;
}

/** A finished file. */
export async function upload(
  service: UploadsUnderTest,
  content: Uint8Array,
  more: Partial<Init> = {},
): Promise<FileRecord> {
  const id = await send(service, content, 2 ** 20, more);
  const { file } = await service.granted(finalizeOf(id, content, more.sub));
  if (file === undefined) throw new Error('a finalize answers with the file');
  return file;
}

/** Every subject that the service's streams and buckets hold a message of. */
export async function everything(bus: Bus): Promise<string[]> {
  const streams = [STREAMS.chunks, STREAMS.files, 'KV_uploads', 'KV_files', 'KV_file_index', 'KV_file_texts'];
  const subjects = await Promise.all(streams.map((stream) => bus.subjectsOf(stream, '>')));
  return subjects.flat().sort();
}

/** Entries of a conversation's log. */
export async function logOf(bus: Bus, conversation = CONVERSATION): Promise<unknown[]> {
  const stored = await bus.stored.all(STREAMS.messages, SUBJECTS.conversationLog(conversation));
  return stored.map(({ data }) => JSON.parse(Buffer.from(data).toString()));
}
