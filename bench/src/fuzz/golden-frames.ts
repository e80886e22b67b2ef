/** The golden frames that clients send, as seeds. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Seed, seedOf } from './seed.ts';

const CORPUS = resolve(import.meta.dirname, '../../../proto/corpus');
/** Above this rooms-v1 reads a part of an upload in a way of its own (chunk-frame.ts of the gateway). */
const PART_BYTES = 9_000;

interface GoldenFrame {
  text?: string;
  hex?: string;
}

/** Of one dialect, such as `chat-v1`. */
export function goldenFrames(dialect: string): Seed[] {
  const seeds = read(dialect, 'client-frames');
  return dialect === 'rooms-v1' ? [...seeds, ...read(dialect, 'binary-frames'), ...largeParts()] : seeds;
}

function read(dialect: string, name: string): Seed[] {
  const frames = JSON.parse(readFileSync(`${CORPUS}/${dialect}/${name}.json`, 'utf8')) as GoldenFrame[];
  return frames.map(({ text, hex }) =>
    hex === undefined ? seedOf(text ?? '') : seedOf(Buffer.from(hex, 'hex'), true),
  );
}

/** No golden frame is that large; in both orders of the keys, as JSON and Python write them. */
function largeParts(): Seed[] {
  const part = Buffer.alloc(PART_BYTES, 'part of a file ');
  const ids = { file_id: '6f1c3a2e-5b7d-4c89-9a01-23456789abcd', chunk_index: 7, total_chunks: 9 };
  const chunk_data = part.toString('base64');
  const first = { type: 'file_upload', data: { upload_type: 'chunk', ...ids, chunk_data } };
  const last = { data: { chunk_data, upload_type: 'chunk', ...ids }, type: 'file_upload' };
  const spaced = JSON.stringify(first).replace('"chunk_data":', '"chunk_data": ');
  const header = Buffer.from('016f1c3a2e5b7d4c899a0123456789abcd00000007', 'hex');
  return [
    ...[JSON.stringify(first), JSON.stringify(last), spaced].map((text) => seedOf(text)),
    seedOf(Buffer.concat([header, part]), true),
  ];
}
