/** What an upload costs from its first part to the finished file, against raw uWebSockets.js that writes one. */
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packUpload, SUBJECTS, UploadsReply, type UploadsRequest, unpackUpload } from '@natter/proto';
import type { Bus } from '@natter/runtime';
import type { Bench, Figure, FigureResult, Measurement, Size } from '../bench.ts';
import { PART_BYTES, PartFrames } from '../load/part-frames.ts';
import { person } from '../load/person.ts';
import { connectAs } from '../load/service-bus.ts';
import { type FileToUpload, UploadClient } from '../load/upload-client.ts';
import { CoreWatch } from '../measure/core-watch.ts';
import { medianInterval } from '../measure/interval.ts';
import { cpuSeconds } from '../measure/process-meter.ts';
import { quiet } from '../measure/settled.ts';
import { startRawSink } from '../peers/raw-sink.ts';
import { startMeasuredStack } from '../stack.ts';

/** `nats`: binary frames too, into the object store of NATS; the others end in a folder. */
const KINDS = ['binary', 'base64', 'nats', 'raw'] as const;
type Kind = (typeof KINDS)[number];

interface Plan {
  /** Of the file, in MiB; 50 MB is the most that is taken. */
  fileMib: number;
  rounds: number;
  /** Rounds before that: until the code is optimised. */
  warmUp: number;
  kinds: readonly Kind[];
}

const PLANS: Record<Size, Plan> = {
  tiny: { fileMib: 3, rounds: 2, warmUp: 1, kinds: KINDS },
  // The store in NATS wants a stack of its own and has no goal.
  quick: { fileMib: 12, rounds: 6, warmUp: 1, kinds: ['binary', 'base64', 'raw'] },
  full: { fileMib: 48, rounds: 15, warmUp: 2, kinds: KINDS },
};
/** Larger than everything that is uploaded in one run. */
const QUOTA_BYTES = 64 * 1024 ** 3;
const DELETE_MS = 10_000;

/** A process that works for an upload, and whether its CPU counts. */
interface Worker {
  name: string;
  pid: number;
  isUnderTest: boolean;
}

interface Side {
  client: UploadClient;
  parts: PartFrames;
  workers: Worker[];
  remove(file: string): Promise<void>;
}

interface Round {
  kind: Kind;
  mbPerCoreSecond: number;
  /** By name of the process: milliseconds of CPU for each MB. */
  cpuMsPerMb: Record<string, number>;
  mbPerSecond: number;
}

export const upload: Figure = {
  name: 'upload',
  title: 'Uploads',
  async run(bench): Promise<FigureResult> {
    const plan = PLANS[bench.size];
    const content = soundOf(plan.fileMib * PART_BYTES);
    const file = fileOf(content);
    const sides = await prepare(bench, content, plan.kinds);
    const side = (kind: Kind) => sides[kind] as Side;
    const cores = new CoreWatch();
    for (let warm = 0; warm < plan.warmUp; warm += 1)
      for (const kind of plan.kinds) await round(kind, side(kind), file, null);
    bench.say(`${plan.rounds} rounds of ${plan.fileMib} MiB, ${plan.kinds.length} ways`);
    const rounds: Round[] = [];
    for (let index = 0; index < plan.rounds; index += 1) {
      // A B C D, D C B A: what drifts during the run meets all alike.
      const order = index % 2 === 0 ? plan.kinds : plan.kinds.toReversed();
      for (const kind of order) rounds.push(await round(kind, side(kind), file, cores));
    }
    return {
      measurements: [...plan.kinds.map((kind) => speed(kind, rounds)), ratio(rounds)],
      cores: cores.use(),
      details: { plan, medians: plan.kinds.map((kind) => medians(kind, rounds)), rounds },
    };
  },
};

async function prepare(
  bench: Bench,
  content: Buffer,
  kinds: readonly Kind[],
): Promise<Partial<Record<Kind, Side>>> {
  // On the disk that the peer writes to, too.
  const folder = mkdtempSync(join(tmpdir(), 'natter-bench-files-'));
  bench.defer(async () => rmSync(folder, { recursive: true, force: true }));
  const toFolder = await stackSide(bench, { UPLOAD_DIR: folder });
  const toNats = kinds.includes('nats') ? await stackSide(bench, {}) : null;
  const sink = await startRawSink(bench);
  const binary = PartFrames.binary(content);
  return {
    binary: { ...toFolder, parts: binary },
    base64: { ...toFolder, parts: PartFrames.base64(content) },
    ...(toNats === null ? {} : { nats: { ...toNats, parts: binary } }),
    raw: {
      client: await connect(bench, sink.port, '/'),
      parts: binary,
      workers: [{ name: 'raw', pid: sink.pid, isUnderTest: true }],
      remove: async () => undefined,
    },
  };
}

/** A stack of its own, and a connection to its gateway. */
async function stackSide(bench: Bench, env: Record<string, string>): Promise<Omit<Side, 'parts'>> {
  const stack = await startMeasuredStack(bench, 'uploads', {
    NATTER_UPLOAD_FRAMES_PER_WINDOW: '1000000',
    NATTER_UPLOAD_QUOTA_BYTES: String(QUOTA_BYTES),
    ...env,
  });
  const bus = await connectAs('gateway', stack.nats);
  bench.defer(() => bus.close());
  const [gateway, uploads] = [stack.gateways[0], stack.uploads[0]];
  const token = await stack.token(person(0));
  return {
    client: await connect(bench, gateway?.ports.http as number, `/api/v1/ws/ws?token=${token}`),
    workers: [
      { name: 'gateway', pid: gateway?.pid as number, isUnderTest: true },
      { name: 'uploads', pid: uploads?.pid as number, isUnderTest: true },
      { name: 'broker', pid: stack.nats.pid, isUnderTest: false },
    ],
    remove: (id) => deleteFile(bus, id),
  };
}

async function connect(bench: Bench, port: number, path: string): Promise<UploadClient> {
  const client = await UploadClient.open({ port, path });
  bench.defer(async () => client.drop());
  return client;
}

/** One upload; deleting the file, and what the broker does then, is not measured. */
async function round(
  kind: Kind,
  { client, parts, workers, remove }: Side,
  file: FileToUpload,
  cores: CoreWatch | null,
): Promise<Round> {
  const stop = cores?.start();
  const begin = performance.now();
  const before = workers.map(({ pid }) => cpuSeconds(pid));
  const id = await client.upload(file, parts);
  const seconds = (performance.now() - begin) / 1_000;
  const used = workers.map(({ pid }, index) => cpuSeconds(pid) - (before[index] as number));
  stop?.();
  await remove(id);
  await Promise.all(workers.map(({ pid }) => quiet(pid)));
  const mb = file.size / 1e6;
  const underTest = used.filter((_, index) => workers[index]?.isUnderTest);
  return {
    kind,
    mbPerCoreSecond: mb / underTest.reduce((sum, cpu) => sum + cpu, 0),
    cpuMsPerMb: Object.fromEntries(
      workers.map(({ name }, index) => [name, ((used[index] as number) * 1_000) / mb]),
    ),
    mbPerSecond: mb / seconds,
  };
}

async function deleteFile(bus: Bus, id: string): Promise<void> {
  const request: UploadsRequest = { op: 'delete', id };
  const answer = unpackUpload(await bus.request(SUBJECTS.uploads, packUpload(request), DELETE_MS));
  const reply = UploadsReply.parse(answer?.json);
  if (!reply.ok) throw new Error(`the file could not be deleted: ${reply.code}`);
}

function fileOf(content: Buffer): FileToUpload {
  const sha256 = createHash('sha256').update(content).digest('hex');
  return { name: 'noise.wav', size: content.length, type: 'audio/wav', sha256 };
}

/** Noise behind the header of a WAV file: nothing on the way can make it smaller, and it has no text. */
function soundOf(bytes: number): Buffer {
  const content = randomBytes(bytes);
  content.write('RIFF', 0, 'latin1');
  content.writeUInt32LE(bytes - 8, 4);
  content.write('WAVEfmt ', 8, 'latin1');
  return content;
}

const LABELS: Record<Kind, string> = {
  binary: 'binary frames: MB per core second of gateway and uploads service',
  base64: 'the same in base64',
  nats: 'binary frames into the object store of NATS',
  raw: 'binary frames into raw uWebSockets.js, hashed and written to a file',
};

function speed(kind: Kind, rounds: Round[]): Measurement {
  const { median, ...interval } = medianInterval(of(kind, rounds).map((round) => round.mbPerCoreSecond));
  const why = kind === 'raw' ? {} : { why: shares(kind, rounds) };
  return { id: `upload.${kind}`, label: LABELS[kind], value: median, unit: 'MB/s', interval, ...why };
}

function ratio(rounds: Round[]): Measurement {
  const raw = of('raw', rounds);
  const { median, ...interval } = medianInterval(
    of('binary', rounds).map(
      ({ mbPerCoreSecond }, index) => mbPerCoreSecond / (raw[index] as Round).mbPerCoreSecond,
    ),
  );
  return {
    id: 'upload.ratio',
    label: 'binary ÷ raw, per round',
    value: median,
    unit: '×',
    interval,
    better: 'higher',
    why: shares('binary', rounds),
  };
}

/** Where the CPU of a MB went, in words. */
function shares(kind: Kind, rounds: Round[]): string {
  const { gateway = 0, uploads = 0, broker = 0 } = medians(kind, rounds).cpuMsPerMb;
  const ms = (value: number) => `${value.toFixed(1)} ms`;
  return `a MB takes ${ms(gateway)} of the gateway, ${ms(uploads)} of the uploads service and, beside them, ${ms(broker)} of the broker`;
}

function medians(kind: Kind, all: Round[]) {
  const rounds = of(kind, all);
  const names = Object.keys(rounds[0]?.cpuMsPerMb ?? {});
  const middle = (value: (round: Round) => number) => medianInterval(rounds.map(value)).median;
  return {
    kind,
    mbPerSecond: middle((round) => round.mbPerSecond),
    cpuMsPerMb: Object.fromEntries(
      names.map((name) => [name, middle(({ cpuMsPerMb }) => cpuMsPerMb[name] as number)]),
    ) as Record<string, number>,
  };
}

function of(kind: Kind, rounds: Round[]): Round[] {
  return rounds.filter((round) => round.kind === kind);
}
