export {
  API_KEY_PREFIX,
  ApiKeyInfo,
  ApiKeysReply,
  ApiKeysRequest,
  ApiScope,
  apiKeyOf,
  apiKeySub,
} from './api-keys.ts';
export {
  CLOSES,
  type CloseEntry,
  type CloseReason,
  ERRORS,
  type ErrorCode,
  type ErrorEntry,
  RUN_ERRORS,
} from './errors.ts';
export {
  CONNECTIONS_TOLD,
  ConnectionRecord,
  GatewayAlive,
  GatewayAnswer,
  GatewayQuestion,
  GatewayReply,
} from './gateways.ts';
export {
  type ConversationName,
  conversationKey,
  conversationName,
  customerKey,
  decodeToken,
  encodeToken,
  isClientId,
  RESERVED_SUB_PREFIX,
  roomKey,
} from './ids.ts';
export { LIMITS } from './limits.ts';
export { LiveEvent, UserEvent } from './live-events.ts';
export {
  GENERAL,
  LOG_LEVELS,
  LOG_LINE_BYTES,
  type LogFilter,
  type LogLevel,
  LogLine,
  LogName,
  logTokens,
  OWN_SERVICES,
} from './logs.ts';
export {
  IssueReply,
  IssueRequest,
  JwksReply,
  LoginReply,
  LoginRequest,
  Principal,
  TokenRefusal,
  TokenUse,
  VERIFY_AT_ONCE,
  VerifyManyReply,
  VerifyManyRequest,
  VerifyReply,
  VerifyRequest,
} from './principal.ts';
export {
  ACCESS_AT_ONCE,
  AccessManyReply,
  AccessManyRequest,
  AiMode,
  Asker,
  Member,
  MemberRole,
  ROOM_ERRORS,
  Room,
  RoomsReply,
  RoomsRequest,
  RoomType,
  RoomView,
} from './rooms.ts';
export {
  AnswerMetadata,
  isRunEnd,
  RUN_STEPS,
  RunBatch,
  type RunEnd,
  RunEvent,
  type RunStep,
  TokenUsage,
} from './run-events.ts';
export {
  BUCKETS,
  CONSUMERS,
  conversationOfTurn,
  kindOut,
  type OutKind,
  runOfSubject,
  STREAMS,
  SUBJECTS,
} from './subjects.ts';
export {
  AssistantMessage,
  foldTranscript,
  LogEntry,
  MessagePosted,
  runEndOf,
  type TranscriptMessage,
  TranscriptRecord,
} from './transcript.ts';
export { RunId, ToolServer, Turn, TurnOptions } from './turn.ts';
export {
  ChunkPosition,
  FILE_TEXT_CHARS,
  FileId,
  FileRecord,
  FileShared,
  FileState,
  FileText,
  packUpload,
  READ_BYTES,
  Sha256,
  UploadMode,
  UploadProgress,
  UploadRecord,
  UploadsReply,
  UploadsRequest,
  unpackUpload,
} from './uploads.ts';
