/**
 * The contract of a dialect: one wire protocol in one version, as pure functions.
 *
 * No I/O, no clock, no logger. `open` and `decode` never throw on a peer's input. What a dialect
 * encodes once may be sent to many connections.
 */
import type {
  AiMode,
  CloseEntry,
  CloseReason,
  ErrorCode,
  FileRecord,
  LiveEvent,
  LogEntry,
  Principal,
  Room,
  RoomType,
  RunEvent,
  TokenUse,
  TranscriptMessage,
  TurnOptions,
  UploadProgress,
} from '@natter/proto';

/** What to do with a question while another one of its conversation is unanswered. */
export type OnBusy = 'queue' | 'reject' | 'interrupt';

/** A message a client means: its own by its id, any by the bus-wide id or with its author. */
export interface MessageTarget {
  /** Null: the room or conversation the connection is about. */
  room: string | null;
  conversation: string | null;
  messageId: string;
  /** Who wrote it; null: the user themselves, or `messageId` is bus-wide. */
  user: string | null;
}

export interface Ask {
  type: 'ask';
  /** May be blank or too long: the session says so, after it has looked at the principal. */
  text: string;
  /** The conversation's name; null for the connection's own. */
  session: string | null;
  customerId: string | null;
  /** Null when the client numbers nothing. */
  messageId: string | null;
  /** The room it is said in; unset or null: the one of the upgrade request, if any. */
  room?: string | null;
  options?: TurnOptions;
}

/** What a client does with a file it uploads in pieces. */
export type UploadCommand = { type: 'upload' } & (
  | {
      step: 'init';
      fileName: string;
      size: number;
      declaredType: string | null;
      /** Null: the one the connection is about. */
      room: string | null;
      conversation: string | null;
      /** The client's id of the request, for the answer. */
      messageId: string | null;
    }
  /** `data` is a view of what came; total null in binary frames, which rely on the size. */
  | { step: 'chunk'; file: string; index: number; total: number | null; data: Uint8Array }
  | { step: 'finalize'; file: string; sha256: string | null }
  | { step: 'status' | 'cancel'; file: string }
);

/** What a client wants, in words that no wire owns. */
export type Command =
  | { type: 'authenticate'; token: string }
  | Ask
  /** Options for all questions to come, if it is the first frame, early enough; else a question. */
  | { type: 'configure'; options: TurnOptions; otherwise: Ask }
  | { type: 'join'; room: string; roomType: RoomType | null; name: string | null; ai: AiMode | null }
  | { type: 'leave'; room: string }
  | { type: 'typing'; room: string | null; conversation: string | null; isTyping: boolean }
  | { type: 'read'; target: MessageTarget }
  | { type: 'edit'; target: MessageTarget; text: string }
  | { type: 'delete'; target: MessageTarget }
  /** `messageId` empty: whatever is being answered there to a question of theirs. */
  | { type: 'cancel'; target: MessageTarget }
  | { type: 'resume'; cursors: string[] }
  | { type: 'moderate'; action: 'invite' | 'add' | 'kick' | 'ban' | 'unban'; room: string; user: string }
  | { type: 'set_ai'; room: string; ai: AiMode }
  | { type: 'set_on_busy'; onBusy: OnBusy }
  | UploadCommand
  | { type: 'ping' }
  /** Well-formed, and the wire says that nothing comes of it. */
  | { type: 'nothing' };

export type Decoded =
  | { ok: true; command: Command }
  | {
      ok: false;
      code: ErrorCode;
      /** What was wrong, for the client; at most 100 characters. */
      detail?: string;
      /** Of a part of an upload that can't be used. */
      file?: string;
      chunk?: number;
    };

/** The parts of an upgrade request a dialect may read. */
export interface Handshake {
  /** The dialect's path is `/ws/:session_id`: the decoded value of its only parameter, else ''. */
  param(): string;
  /** The first value of a query parameter. */
  query(name: string): string | undefined;
  /** All values of it, in order. */
  queries(name: string): string[];
  /** By lower-case name; empty when absent. */
  header(name: string): string;
}

/** What an upgrade request asks for. `openingOf` reads the parts that all wires share. */
export interface Opening {
  credential: { token: string; use: TokenUse } | null;
  /** The conversation this connection is about; null: none before the first question. */
  session: string | null;
  /** The room this connection is about: its questions go there, and it watches it. */
  room: { id: string; type: RoomType | null; name: string | null } | null;
  /** Whether it sees everything that happens in `session`, not only answers to its own questions. */
  watch: boolean;
  /** Hold for every question that says nothing else. */
  options: TurnOptions;
  /** Whether frames carry cursors (`?seq=1`). */
  cursors: boolean;
  /** Cursors to resume from. */
  resume: string[];
  onBusy: OnBusy;
  /** What can't be used of the request; the connection gets this error and is closed or goes on, as its wire says. */
  problem: ErrorCode | null;
}

/** Where something happens, by the names clients know. */
export interface Place {
  /** Id of the room, or null for a conversation of the user's own. */
  readonly room: string | null;
  /** The client's name of the conversation; in a room the room's id. */
  readonly session: string;
}

/** What is known of a run when one of its events is encoded; includes that event. */
export interface RunText extends Place {
  /** The answer so far. */
  readonly text: string;
  /** The same, escaped as the inside of a JSON string; kept up so that no frame escapes it anew. */
  readonly textJson: string;
  /** The run's id on the bus. */
  readonly run: string;
  /** Who asked what; null when its `run.started` was lost. */
  readonly asked: Extract<RunEvent, { type: 'run.started' }> | null;
  /** Where a client resumes after this frame; null unless it asked for cursors. */
  readonly cursor: string | null;
  /** When the event came to this gateway, in milliseconds since 1970. */
  readonly atMs: number;
}

/** What happens in a room or a watched conversation besides runs. */
export type PlaceEvent =
  | Exclude<LogEntry, { type: 'run.cancel_requested' }>
  | { type: 'typing'; sub: string; name: string | null; isTyping: boolean }
  | Omit<Extract<LiveEvent, { type: 'file.progress' }>, 'connection'>
  | { type: 'member.came' | 'member.went'; sub: string; name: string | null };

export interface PlaceContext extends Place {
  readonly cursor: string | null;
  /** Sequence in the transcript; null for what is no part of it. */
  readonly position: number | null;
  /** Said while the user was away. */
  readonly queued: boolean;
  /** When it came to this gateway, in milliseconds since 1970. */
  readonly atMs: number;
}

/** What the gateway tells one connection by itself. */
export type Notice =
  /** The first one, once it is known who is there. */
  | { type: 'connected'; connection: string; principal: Principal; atMs: number }
  | { type: 'heartbeat'; atMs: number }
  | { type: 'pong'; atMs: number }
  /** The broker has it on disk. `run` is the bus-wide id of the message. */
  | {
      type: 'confirmed';
      status: 'delivered' | 'edited' | 'deleted' | 'read';
      messageId: string;
      run: string;
      place: Place;
      atMs: number;
    }
  | {
      type: 'joined';
      room: Room;
      role: 'owner' | 'member';
      participants: { sub: string; name: string | null }[];
      atMs: number;
    }
  | { type: 'left'; room: string; why: 'left' | 'removed' | 'banned' | 'deleted'; atMs: number }
  | {
      type: 'moderated';
      action: 'invite' | 'add' | 'kick' | 'ban' | 'unban' | 'set_ai';
      room: string;
      user: string | null;
      atMs: number;
    }
  /** `cancelling`: the last frame of the run follows. `ended`: it was over before. */
  | { type: 'cancel'; status: 'cancelling' | 'ended'; messageId: string; run: string; place: Place }
  | { type: 'resumed'; place: Place; recovered: boolean; atMs: number }
  /** What was said last, when a cursor is outside the window; oldest first. */
  | { type: 'transcript'; place: Place; messages: TranscriptMessage[]; cursor: string | null }
  /** An answer to an upload command; `percent` of its bytes have arrived. */
  | {
      type: 'upload';
      step: 'init' | 'chunk' | 'status' | 'cancel';
      progress: UploadProgress;
      /** Of `chunk`: the one that has arrived. */
      index: number | null;
      messageId: string | null;
      place: Place | null;
      atMs: number;
    }
  /** The file is finished: `ready`, or `quarantined` until the scanner has judged it. */
  | { type: 'uploaded'; file: FileRecord; place: Place | null; atMs: number }
  /** More was said while the user was away than is kept for them; the oldest was left out. */
  | { type: 'queue_cut'; place: Place; dropped: number };

export interface ErrorDetail {
  correlationId: string;
  /** Seconds after which the same request may succeed. */
  retryAfter?: number;
  /** The client's id of the message that was refused, where it is known. */
  messageId?: string;
  /** Of the codec's own `Decoded`. */
  detail?: string;
  /** Of an upload: the file, the part that was refused, the parts that are missing. */
  file?: string;
  chunk?: number;
  missing?: readonly number[];
}

/** One frame, several in this order, or none where the wire has none for it. */
export type Frames = string | readonly string[] | null;

/** How connections of a wire behave, as data. */
export interface Manner {
  /** A connection without a good token: `stays` and may send another one, or is closed after the error frame. */
  refusedToken: 'stays' | CloseReason;
  /** Whether a connection without any token is closed at once like one whose token was refused. */
  tokenAtOpen: boolean;
  /** Whether sessions without a token are allowed where the configuration allows them. */
  anonymous: boolean;
  /** Whether it sees all that happens in its conversation, without asking for it. */
  watches: boolean;
  /** Whether the sender of a message sees it come back like everybody who watches. */
  echo: boolean;
  /** Whether heartbeat frames are sent, besides the pings of the WebSocket. */
  heartbeat: boolean;
  /** Whether messages are limited per session too (seeds/002: 20 a minute). */
  sessionRate: boolean;
  /** Whether a foreign Origin gets an open socket and a close code, or a plain 403. */
  originRefusal: 'http' | 'close';
  /** Whether members' messages wait for users who are away, and come when they are back. */
  offlineQueue: boolean;
  /** Whether files can be uploaded: frames may be as large as a part of one, and binary. */
  uploads: boolean;
}

export interface Dialect {
  readonly name: string;
  /** Path pattern of uWebSockets.js (`/ws/:session_id`). */
  readonly path: string;
  readonly manner: Manner;
  open(handshake: Handshake): Opening;
  decode(bytes: Uint8Array, isBinary: boolean): Decoded;
  /** An answer to `authenticate` or to the token of the upgrade request; see also `connected`. */
  encodeRefused(code: 'INVALID_TOKEN' | 'TOKEN_EXPIRED' | 'AUTH_REQUIRED', detail: ErrorDetail): string;
  encodeError(code: ErrorCode, detail: ErrorDetail): Frames;
  encodeNotice(notice: Notice): Frames;
  encodeEvent(event: RunEvent, run: RunText): Frames;
  encodePlaceEvent(event: PlaceEvent, context: PlaceContext): Frames;
  /** Close codes in which this wire differs from the table. */
  readonly closes: Partial<Record<CloseReason, Pick<CloseEntry, 'code' | 'reason'>>>;
}
