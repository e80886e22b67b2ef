/** An uploads service that keeps what it gets in memory, for the parts of uploads that tus uses. */
import { createHash } from 'node:crypto';
import type { FileRecord, UploadProgress, UploadsRequest } from '@natter/proto';
import type { PartOf } from '../../src/bus/upload-parts.ts';
import type { UploadsAnswer } from '../../src/bus/uploads-client.ts';

/** What is asked, and each part that is stored. */
export type Asked = UploadsRequest | ({ op: 'chunk' } & PartOf);

interface Upload {
  owner: string;
  progress: UploadProgress;
  bytes: Buffer;
}

const NONE = new Uint8Array();

export class FakeUploads {
  readonly uploads = new Map<string, Upload>();
  readonly files = new Map<string, { file: FileRecord; bytes: Buffer }>();
  readonly asked: Asked[] = [];
  /** In place of an answer, while it answers something. */
  answer: (request: Asked) => UploadsAnswer | null = () => null;
  #count = 0;

  /** Refuses with a code. */
  static refuse(code: Extract<UploadsAnswer, { ok: false }>['code']): UploadsAnswer {
    return { ok: false, code, bytes: NONE };
  }

  add(file: Partial<FileRecord> & { content: string | Buffer }): FileRecord {
    const { content, ...more } = file;
    const bytes = Buffer.from(content as string);
    const record: FileRecord = {
      id: this.#newId(),
      owner: 'alice',
      ownerName: 'Alice',
      conversation: null,
      name: 'notes.txt',
      size: bytes.length,
      sha256: createHash('sha256').update(bytes).digest('hex'),
      type: 'text/plain',
      inline: false,
      state: 'ready',
      createdAt: 1_767_225_600_000,
      ...more,
    };
    this.files.set(record.id, { file: record, bytes });
    return record;
  }

  ask = async (request: UploadsRequest): Promise<UploadsAnswer> => this.#answer(request, NONE);

  put = async (of: PartOf, part: Uint8Array): Promise<UploadsAnswer> =>
    this.#answer({ op: 'chunk', ...of }, Uint8Array.from(part));

  #answer(request: Asked, part: Uint8Array): UploadsAnswer {
    this.asked.push(request);
    return this.answer(request) ?? this.#do(request, part);
  }

  #do(request: Asked, part: Uint8Array): UploadsAnswer {
    switch (request.op) {
      case 'init': {
        const id = this.#newId();
        const { sub: owner, fileName: name, size, mode, conversation } = request;
        const progress: UploadProgress = {
          ...{ id, name, size, mode, conversation },
          ...{ received: [], totalChunks: null, offset: 0, expiresAt: 1_767_312_000_000 },
        };
        this.uploads.set(id, { owner, progress, bytes: Buffer.alloc(0) });
        return { ok: true, progress, bytes: NONE };
      }
      case 'read': {
        const found = this.files.get(request.id);
        if (found === undefined) return FakeUploads.refuse('FILE_NOT_FOUND');
        const bytes = found.bytes.subarray(request.offset, request.offset + request.length);
        return { ok: true, bytes };
      }
      case 'file':
      case 'delete': {
        const file = this.files.get(request.id)?.file;
        if (file === undefined) return FakeUploads.refuse('FILE_NOT_FOUND');
        if (request.op === 'delete') this.files.delete(request.id);
        return { ok: true, file, bytes: NONE };
      }
      case 'list': {
        const { of } = request;
        const all = [...this.files.values()].map(({ file }) => file);
        const files = all.filter(({ owner, conversation }) =>
          'owner' in of ? owner === of.owner : conversation === of.conversation,
        );
        return { ok: true, files, bytes: NONE };
      }
      default:
        return this.#ofUpload(request, part);
    }
  }

  #ofUpload(
    request: Extract<Asked, { op: 'chunk' | 'settle' | 'status' | 'finalize' | 'cancel' }>,
    part: Uint8Array,
  ): UploadsAnswer {
    const finished = this.files.get(request.id)?.file;
    if (finished?.owner === request.sub && (request.op === 'status' || request.op === 'finalize'))
      return { ok: true, file: finished, bytes: NONE };
    const upload = this.uploads.get(request.id);
    if (upload?.owner !== request.sub) return FakeUploads.refuse('UPLOAD_NOT_FOUND');
    if (request.op === 'cancel') this.uploads.delete(request.id);
    if (request.op === 'chunk') {
      const { position } = request;
      if (!('offset' in position) || position.offset !== upload.bytes.length)
        return FakeUploads.refuse('UPLOAD_OFFSET_CONFLICT');
      if (position.offset + part.length > upload.progress.size)
        return FakeUploads.refuse('FILE_SIZE_MISMATCH');
      upload.bytes = Buffer.concat([upload.bytes, part]);
      upload.progress = { ...upload.progress, offset: upload.bytes.length };
    }
    if (request.op !== 'finalize') return { ok: true, progress: upload.progress, bytes: NONE };
    const { id, conversation, name } = upload.progress;
    const { owner, bytes } = upload;
    this.uploads.delete(id);
    return { ok: true, file: this.add({ id, owner, conversation, name, content: bytes }), bytes: NONE };
  }

  #newId(): string {
    this.#count += 1;
    return `6f1c3a2e-5b7d-4c89-9a01-${String(this.#count).padStart(12, '0')}`;
  }
}
