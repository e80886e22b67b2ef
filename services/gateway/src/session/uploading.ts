/** Files that one connection uploads, in parts, beside the questions it asks. */
import {
  conversationKey,
  conversationName,
  ERRORS,
  type ErrorCode,
  FileId,
  type Principal,
  Sha256,
  type UploadProgress,
} from '@natter/proto';
import { keyOfRoom, mayBeIn } from '../bus/conversation-access.ts';
import { storeErrorCode } from '../bus/turn-store.ts';
import type { UploadsAnswer } from '../bus/uploads-client.ts';
import type { Asking } from './asking.ts';
import type { Connection } from './context.ts';
import type { Place, UploadCommand } from './dialect.ts';
import { type FileProgress, progressEvent } from './progress-frames.ts';
import { askerOf } from './seat.ts';
import type { Seats } from './seats.ts';
import { logUploadFailure } from './upload-failures.ts';

type Step<S extends UploadCommand['step']> = Extract<UploadCommand, { step: S }>;
type Refused = Extract<UploadsAnswer, { ok: false }>;

/** Bytes of parts of one connection that are on their way to the broker. */
const PARTS_BYTES = 8 * 1024 * 1024;
/** Upload commands of one connection under way, however small. */
const COMMANDS_LIMIT = 64;
/** Uploads of one connection that it remembers; of others it asks where they go. */
const FILES_LIMIT = 64;
/** Storing a part takes milliseconds. */
const BUSY_RETRY_S = 1;

/** Where a file goes, and the last that was heard of it. */
interface Known {
  conversation: string | null;
  place: Place | null;
  progress: UploadProgress | null;
}

export class Uploading {
  readonly #connection: Connection;
  readonly #seats: Seats;
  readonly #asking: Asking;
  #commands = 0;
  #bytes = 0;
  /** Parts under way, by file: a finalize waits for them. */
  readonly #parts = new Map<string, Set<Promise<void>>>();
  readonly #files = new Map<string, Known>();

  constructor(connection: Connection, seats: Seats, asking: Asking) {
    this.#connection = connection;
    this.#seats = seats;
    this.#asking = asking;
  }

  /** Begins at once. The bytes of a part may be reused by the caller when this has returned. */
  begin(command: UploadCommand, principal: Principal): void {
    const about = aboutOf(command);
    if (about.file !== undefined && !FileId.safeParse(about.file).success)
      return this.#connection.refuse('UPLOAD_NOT_FOUND', about);
    if (this.#commands >= COMMANDS_LIMIT)
      return this.#connection.refuse('UPLOAD_BUSY', { ...about, retryAfter: BUSY_RETRY_S });
    this.#commands += 1;
    const done = this.#do(command, principal)
      .catch((err: unknown) => {
        const { log, now } = this.#connection.context;
        logUploadFailure(log, now(), err, command.step);
        if (this.#isThere(principal)) this.#connection.refuse(storeErrorCode(err), about);
      })
      .finally(() => {
        this.#commands -= 1;
        if (command.step === 'chunk') this.#forgetPart(command.file, done);
      });
    if (command.step !== 'chunk') return;
    const parts = this.#parts.get(command.file) ?? new Set();
    this.#parts.set(command.file, parts.add(done));
  }

  #forgetPart(file: string, part: Promise<void>): void {
    const parts = this.#parts.get(file);
    parts?.delete(part);
    if (parts?.size === 0) this.#parts.delete(file);
  }

  async #do(command: UploadCommand, principal: Principal): Promise<void> {
    switch (command.step) {
      case 'init':
        return this.#init(command, principal);
      case 'chunk':
        return this.#chunk(command, principal);
      case 'finalize':
        return this.#finalize(command, principal);
      case 'status':
        return this.#status(command.file, principal);
      case 'cancel':
        return this.#cancel(command.file, principal);
    }
  }

  async #init(command: Step<'init'>, principal: Principal): Promise<void> {
    const { context } = this.#connection;
    const { messageId } = command;
    const about = aboutOf(command);
    const retryAfter = await context.rates.take('user', principal.sub);
    if (retryAfter > 0) return this.#connection.refuse('RATE_LIMIT', { ...about, retryAfter });
    const target = await this.#target(command, principal);
    if (typeof target === 'string') return this.#connection.refuse(target, about);
    const { sub, name } = principal;
    const answer = await context.uploads.ask({
      op: 'init',
      ...{ sub, name, mode: 'indexed' },
      ...{ fileName: command.fileName, size: command.size, declaredType: command.declaredType },
      conversation: target.conversation,
    });
    if (!this.#isThere(principal)) return;
    if (!answer.ok) return this.#refuse(answer, about);
    const { progress } = answer;
    if (progress === undefined) throw new Error('the uploads service answered no progress');
    const known = { ...target, progress };
    this.#remember(progress.id, known);
    this.#tell(known, principal);
    this.#notice('init', progress, known.place, { messageId });
  }

  async #chunk({ file, index, total, data }: Step<'chunk'>, principal: Principal): Promise<void> {
    const { context } = this.#connection;
    const about = { file, chunk: index };
    const size = data.byteLength;
    if (size > context.limits.maxChunkBytes) return this.#connection.refuse('CHUNK_TOO_LARGE', about);
    if (this.#bytes + size > PARTS_BYTES)
      return this.#connection.refuse('UPLOAD_BUSY', { ...about, retryAfter: BUSY_RETRY_S });
    this.#bytes += size;
    try {
      const position = { index, total };
      // Nothing is waited for before this: the bytes are copied now.
      const answer = await context.uploads.put({ sub: principal.sub, id: file, position }, data);
      if (!this.#isThere(principal)) return;
      if (!answer.ok) return this.#refuse(answer, about);
      const { progress } = answer;
      if (progress === undefined) throw new Error('the uploads service answered no progress');
      const known = this.#update(progress);
      this.#tellOfPart(known, principal);
      this.#notice('chunk', progress, known.place, { index });
    } finally {
      this.#bytes -= size;
    }
  }

  async #finalize({ file, sha256 }: Step<'finalize'>, principal: Principal): Promise<void> {
    const { context } = this.#connection;
    const { sub } = principal;
    // Those that fail have told so themselves; what is missing then, the service says.
    await Promise.all(this.#parts.get(file) ?? []);
    if (!Sha256.safeParse(sha256).success) return this.#connection.refuse('CHECKSUM_INVALID', { file });
    // Who was thrown out of the room meanwhile must not show anything there.
    const known = await this.#find(file, principal);
    if (known === null || !this.#isThere(principal)) return;
    const answer = await context.uploads.ask({ op: 'finalize', sub, id: file, sha256 });
    if (!answer.ok && isForGood(answer.code)) this.#tell(known, principal, 'refused');
    if (answer.ok && answer.file?.state === 'quarantined') this.#tell(known, principal, 'quarantined');
    if (!this.#isThere(principal)) return;
    if (!answer.ok) return this.#refuse(answer, { file });
    if (answer.file === undefined) throw new Error('the uploads service answered no file');
    this.#files.delete(file);
    this.#uploaded(answer.file, known.place);
  }

  async #status(file: string, principal: Principal): Promise<void> {
    this.#files.delete(file);
    const known = await this.#find(file, principal);
    if (known === null || !this.#isThere(principal)) return;
    if (known.progress !== null) return this.#notice('status', known.progress, known.place);
    if (known.file !== null) this.#uploaded(known.file, known.place);
  }

  async #cancel(file: string, principal: Principal): Promise<void> {
    const { context } = this.#connection;
    const known = this.#files.get(file) ?? (await this.#find(file, principal, false));
    if (known === null) return;
    const answer = await context.uploads.ask({ op: 'cancel', sub: principal.sub, id: file });
    if (answer.ok) this.#tell(known, principal, 'cancelled');
    if (!this.#isThere(principal)) return;
    if (!answer.ok) return this.#refuse(answer, { file });
    this.#files.delete(file);
    const progress = answer.progress ?? known.progress;
    if (progress === null) return this.#connection.refuse('UPLOAD_NOT_FOUND', { file });
    this.#notice('cancel', progress, known.place);
  }

  /** The upload, or the file it became; null when the client was told why there is none. */
  async #find(file: string, principal: Principal, mustBeThere = true) {
    const { context } = this.#connection;
    const { sub } = principal;
    const remembered = this.#files.get(file);
    const answer =
      remembered === undefined ? await context.uploads.ask({ op: 'status', sub, id: file }) : null;
    if (answer?.ok === false) {
      if (this.#isThere(principal)) this.#refuse(answer, { file });
      return null;
    }
    if (answer?.progress !== undefined) this.#update(answer.progress);
    const finished = answer?.file ?? null;
    const known = this.#files.get(file) ?? {
      conversation: finished?.conversation ?? null,
      place: placeOfKey(finished?.conversation ?? null),
      progress: null,
    };
    const { conversation } = known;
    const may =
      !mustBeThere ||
      conversation === null ||
      (await mayBeIn(context.rooms, askerOf(principal), conversation));
    if (may) return { ...known, file: finished };
    if (this.#isThere(principal)) this.#connection.refuse('ROOM_DENIED', { file });
    return null;
  }

  /** The conversation a file is for, if the user may be there. */
  async #target(
    { room, conversation: named }: Step<'init'>,
    principal: Principal,
  ): Promise<{ conversation: string | null; place: Place | null } | ErrorCode> {
    const { context, opening } = this.#connection;
    const roomId = room ?? (named === null ? (opening.room?.id ?? null) : null);
    if (roomId === null) {
      const session = named ?? this.#asking.ownSession;
      return { conversation: conversationKey(principal.sub, session), place: { room: null, session } };
    }
    if (this.#seats.wasRemovedFrom(roomId)) return 'ROOM_DENIED';
    const who = askerOf(principal);
    const place = { room: roomId, session: roomId };
    const seat = this.#seats.byRoom(roomId);
    if (seat !== null) {
      const may = await mayBeIn(context.rooms, who, seat.key);
      return may ? { conversation: seat.key, place } : 'ROOM_DENIED';
    }
    const found = await keyOfRoom(context.rooms, who, roomId);
    return found.ok ? { conversation: found.key, place } : found.code;
  }

  #update(progress: UploadProgress): Known {
    const known = this.#files.get(progress.id);
    const { conversation } = progress;
    const place = known?.place ?? placeOfKey(conversation);
    const updated = { conversation, place, progress };
    this.#remember(progress.id, updated);
    return updated;
  }

  #remember(file: string, known: Known): void {
    this.#files.delete(file);
    this.#files.set(file, known);
    if (this.#files.size > FILES_LIMIT) this.#files.delete(this.#files.keys().next().value ?? '');
  }

  /** Those who watch the conversation see how far it is. */
  #tell(
    { conversation, progress }: Known,
    { sub, name }: Principal,
    status: FileProgress['status'] = 'receiving',
  ): void {
    if (conversation === null || progress === null) return;
    const event = progressEvent(progress, { sub, name, connection: this.#connection.id }, status);
    this.#connection.context.progress.say(conversation, event);
  }

  /** Nothing judges a part: who was thrown out of the room meanwhile must not show anything there. */
  #tellOfPart({ conversation, progress }: Known, principal: Principal): void {
    const { context, id: connection } = this.#connection;
    if (conversation === null || progress === null) return;
    const { sub, name } = principal;
    const event = progressEvent(progress, { sub, name, connection }, 'receiving');
    const may = () => mayBeIn(context.rooms, askerOf(principal), conversation);
    void context.progress.sayIf(conversation, event, may);
  }

  #notice(
    step: 'init' | 'chunk' | 'status' | 'cancel',
    progress: UploadProgress,
    place: Place | null,
    { index = null, messageId = null }: { index?: number | null; messageId?: string | null } = {},
  ): void {
    const atMs = this.#connection.context.now();
    this.#connection.notice({ type: 'upload', step, progress, index, messageId, place, atMs });
  }

  #uploaded(file: NonNullable<Extract<UploadsAnswer, { ok: true }>['file']>, place: Place | null): void {
    this.#connection.notice({ type: 'uploaded', file, place, atMs: this.#connection.context.now() });
  }

  #refuse({ code, detail, missing, correlationId }: Refused, about: ReturnType<typeof aboutOf>): void {
    this.#connection.refuse(code, {
      ...about,
      ...(detail === undefined ? {} : { detail }),
      ...(missing === undefined ? {} : { missing }),
      ...(correlationId === undefined ? {} : { correlationId }),
    });
  }

  /** False once the connection is closed, or somebody else is signed in. */
  #isThere({ sub }: Principal): boolean {
    return !this.#connection.closed && this.#connection.principal?.sub === sub;
  }
}

/** What an error about a command names. */
function aboutOf(command: UploadCommand): { file?: string; chunk?: number; messageId?: string } {
  if (command.step === 'init') return command.messageId === null ? {} : { messageId: command.messageId };
  return command.step === 'chunk' ? { file: command.file, chunk: command.index } : { file: command.file };
}

/** Whether a refused finalize ends the upload. */
function isForGood(code: ErrorCode): boolean {
  return !ERRORS[code].retry && code !== 'UPLOAD_NOT_FOUND' && code !== 'CHECKSUM_INVALID';
}

function placeOfKey(key: string | null): Place | null {
  const name = key === null ? null : conversationName(key);
  if (name === null) return null;
  return 'room' in name ? { room: name.room, session: name.room } : { room: null, session: name.name };
}
