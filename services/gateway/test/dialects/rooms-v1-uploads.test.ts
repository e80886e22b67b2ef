import { describe, expect, it } from 'vitest';
import { roomsV1 } from '../../src/dialects/rooms-v1/codec.ts';

const FILE = '6f1c3a2e-5b7d-4c89-9a01-23456789abcd';

function decode(data: object, more: object = {}) {
  const text = JSON.stringify({ type: 'file_upload', data, ...more });
  return roomsV1.decode(new TextEncoder().encode(text), false);
}

const chunk = (more: object) =>
  decode({
    ...{ upload_type: 'chunk', file_id: FILE },
    ...{ chunk_index: 0, total_chunks: 2, chunk_data: 'AA==' },
    ...more,
  });

const init = (more: object) =>
  decode({ upload_type: 'init', file_name: 'a.txt', file_size: 3, mime_type: 'text/plain', ...more });

describe('the data of a part', () => {
  it('is any bytes, in base64', () => {
    for (const length of [1, 2, 3, 255, 256, 100_000]) {
      const bytes = Buffer.from(Array.from({ length }, (_, at) => (at * 7) & 255));
      expect(chunk({ chunk_data: bytes.toString('base64') })).toMatchObject({
        command: { step: 'chunk', data: bytes },
      });
    }
  });

  it.each([
    ['nothing', ''],
    ['no text', 7],
    ['missing', null],
    ['without its padding', 'AA'],
    ['of one character too many', 'AAAAA==='],
    ['with a line break', 'AAAA\nAAAA'],
    ['with spaces', ' AAAA'],
    ['of the alphabet for URLs', '-_-_'],
    ['with padding in the middle', 'AA==AAAA'],
    ['with bits behind its last byte', 'AB=='],
    ['a data URL', 'data:text/plain;base64,AAAA'],
    ['with a character of two bytes', 'AAA\u0141'],
    ['hex', 'deadbeef!'],
  ])('can not be %s', (_name, chunk_data) => {
    expect(chunk({ chunk_data })).toEqual({
      ...{ ok: false, code: 'CHUNK_INVALID', detail: 'chunk_data' },
      ...{ file: FILE, chunk: 0 },
    });
  });

  it('is in binary frames what follows the header, looked at where it is', () => {
    const frame = Buffer.alloc(21 + 3, 1);
    Buffer.from(FILE.replaceAll('-', ''), 'hex').copy(frame, 1);
    frame.writeUInt32BE(1_023, 17);
    const decoded = roomsV1.decode(frame, true);
    const { command } = decoded as Extract<typeof decoded, { ok: true }>;
    expect(command).toMatchObject({ file: FILE, index: 1_023, total: null });
    const { data } = command as Extract<typeof command, { step: 'chunk' }>;
    expect(data.length).toBe(3);
    expect(data.buffer).toBe(frame.buffer);
  });
});

describe('the index of a part', () => {
  it.each([
    ['missing', undefined],
    ['a text', '0'],
    ['negative', -1],
    ['broken', 0.5],
    ['huge', 1e300],
  ])('can not be %s', (_name, chunk_index) => {
    expect(chunk({ chunk_index })).toMatchObject({ code: 'CHUNK_INVALID', file: FILE });
  });

  it('is below the total, and that at most 1,024', () => {
    expect(chunk({ chunk_index: 1_023, total_chunks: 1_024 }).ok).toBe(true);
    for (const [chunk_index, total_chunks] of [
      [2, 2],
      [0, 0],
      [0, -1],
      [0, 1.5],
      [0, '2'],
      [0, 1_025],
    ])
      expect(chunk({ chunk_index, total_chunks })).toMatchObject({
        ...{ code: 'CHUNK_INVALID', detail: 'total_chunks', chunk: chunk_index },
      });
    expect(chunk({ chunk_index: 1_024, total_chunks: null })).toMatchObject({
      ...{ code: 'CHUNK_INVALID', detail: 'chunk_index' },
    });
  });

  it('needs no total: the size says how many there are', () => {
    expect(chunk({ total_chunks: undefined })).toMatchObject({ command: { total: null } });
  });
});

describe('an init', () => {
  it('leaves what is wrong with a name to those who know files', () => {
    for (const [file_name, fileName] of [
      [undefined, ''],
      [7, ''],
      ['../../etc/passwd\0', '../../etc/passwd\0'],
    ])
      expect(init({ file_name })).toMatchObject({ command: { fileName } });
    expect(init({ file_size: -1 })).toMatchObject({ command: { size: -1 } });
  });

  it('names a field that has another shape', () => {
    for (const [field, value] of [
      ['file_size', '3'],
      ['file_size', 1.5],
      ['file_size', null],
      ['mime_type', 7],
      ['room_id', 'a'.repeat(129)],
    ] as const)
      expect(init({ [field]: value })).toEqual({ ok: false, code: 'INVALID_FIELD', detail: field });
  });
});

describe('a checksum', () => {
  const sha256 = 'ab'.repeat(32);
  const finalize = (checksum: unknown) => decode({ upload_type: 'finalize', file_id: FILE, checksum });

  it('may be written in capitals, and name its kind', () => {
    for (const checksum of [sha256, sha256.toUpperCase(), `sha256:${sha256}`, `SHA256:${sha256} `])
      expect(finalize(checksum)).toMatchObject({ command: { step: 'finalize', sha256 } });
  });

  it('of another shape is none', () => {
    for (const checksum of [undefined, null, 7, '', 'sha256-hash', `md5:${sha256}`, `${sha256}0`])
      expect(finalize(checksum)).toMatchObject({ command: { step: 'finalize', sha256: null } });
  });
});

describe('a file id', () => {
  it('is needed by everything but an init', () => {
    for (const upload_type of ['chunk', 'finalize', 'status', 'cancel'])
      for (const file_id of [undefined, 7, '', 'a'.repeat(129)])
        expect(decode({ upload_type, file_id, chunk_data: 'AA==' })).toEqual({
          ...{ ok: false, code: 'INVALID_FIELD', detail: 'file_id' },
        });
  });

  it('is the same in capitals', () => {
    const decoded = decode({ upload_type: 'status', file_id: FILE.toUpperCase() });
    expect(decoded).toMatchObject({ command: { step: 'status', file: FILE } });
  });
});
