/** What so many connections do in a second of the busiest hour. */
import type { Assumptions } from './assumptions.ts';

export interface Demand {
  sockets: number;
  /** All of these for each second. */
  questions: number;
  tokens: number;
  /** Batches of tokens on the bus. */
  batches: number;
  /** Frames with tokens to connections. */
  tokenDeliveries: number;
  roomMessages: number;
  roomDeliveries: number;
  connects: number;
  resumes: number;
  joins: number;
  uploadMb: number;
  /** Entries that are on disk before the answer, by stream. */
  appends: { TURNS: number; MESSAGES: number; runs: number };
  /** Not for each second: answers under way, conversations that somebody watches. */
  runs: number;
  conversations: number;
}

/**
 * Writes of a question: TURNS stores and removes it; MESSAGES has the question and the end; `runs` has
 * the claim and its release (services/agent/src/turn/claims.ts).
 */
const WRITES = { turns: 2, messages: 2, claims: 2 } as const;

export function demandOf(sockets: number, given: Assumptions): Demand {
  const { devices, inRooms, roomSize, questionsInRooms, tokensPerAnswer, resuming } = given;
  const questions = (sockets * given.questionsPerHour) / 3_600;
  const tokens = questions * tokensPerAnswer;
  const batches = tokens / given.tokensPerBatch;
  const watchers = (1 - questionsInRooms) * devices + questionsInRooms * roomSize;
  const roomMessages = (sockets * inRooms * given.roomMessagesPerHour) / 3_600;
  const connects = sockets / (given.sessionMinutes * 60);
  return {
    sockets,
    questions,
    tokens,
    batches,
    tokenDeliveries: batches * watchers,
    roomMessages,
    roomDeliveries: roomMessages * roomSize,
    connects,
    resumes: connects * resuming,
    joins: connects * inRooms,
    uploadMb: (sockets * given.uploadsPerHour * given.uploadMb) / 3_600,
    appends: {
      TURNS: questions * WRITES.turns,
      MESSAGES: questions * WRITES.messages + roomMessages,
      runs: questions * WRITES.claims,
    },
    runs: (questions * tokensPerAnswer) / given.tokensPerSecond,
    conversations: (sockets * (1 - inRooms)) / devices + (sockets * inRooms) / roomSize,
  };
}
