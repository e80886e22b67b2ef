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
  conversationKey,
  customerKey,
  encodeToken,
  isClientId,
} from './ids.ts';
export { LIMITS } from './limits.ts';
export {
  JwksReply,
  LoginReply,
  LoginRequest,
  Principal,
  TokenRefusal,
  VerifyReply,
  VerifyRequest,
} from './principal.ts';
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
export { BUCKETS, CONSUMERS, conversationOfTurn, runOfSubject, STREAMS, SUBJECTS } from './subjects.ts';
export { AssistantMessage, runEndOf, TranscriptMessage } from './transcript.ts';
export { RunId, Turn } from './turn.ts';
