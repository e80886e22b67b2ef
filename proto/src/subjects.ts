/**
 * Every subject on the bus, built in one place.
 *
 * `conversation` is a key made by `conversationKey`; `run` is an id of `[a-z0-9]+` made by the
 * gateway. Nothing else may be put into a subject.
 */

export const SUBJECTS = {
  /** Questions; stored by TURNS. */
  turn: (conversation: string) => `turn.conv.${conversation}`,
  allTurns: 'turn.>',

  /** What a run emits; stored by EVENTS, republished under `ev.out`. */
  runEvents: (conversation: string, run: string) => `ev.in.conv.${conversation}.run.${run}`,
  allEventsIn: 'ev.in.>',
  conversationRunsOut: (conversation: string) => `ev.out.conv.${conversation}.run.*`,
  allEventsOut: 'ev.out.>',

  /** Transcripts; stored by MESSAGES, republished under `ev.out`. One subject per message. */
  message: (conversation: string, run: string, role: 'user' | 'assistant') =>
    `msg.conv.${conversation}.run.${run}.${role}`,
  conversationMessages: (conversation: string) => `msg.conv.${conversation}.>`,
  allMessages: 'msg.>',

  /** Asks one agent whether it is at work on the turn with a sequence; answered with `1` or `0`. */
  agentHolds: (agent: string) => `agent.${agent}.holds`,
  /** Endpoints of the auth service (a queue group). */
  authVerify: 'auth.verify',
  authLogin: 'auth.login',
  authJwks: 'auth.jwks',
} as const;

/** The conversation of a subject made by `SUBJECTS.turn`. */
export function conversationOfTurn(subject: string): string {
  return subject.slice(subject.lastIndexOf('.') + 1);
}

/** The run id at the end of a subject that matches `conversationRunsOut`. */
export function runOfSubject(subject: string): string {
  return subject.slice(subject.lastIndexOf('.') + 1);
}

export const STREAMS = {
  turns: 'TURNS',
  messages: 'MESSAGES',
  events: 'EVENTS',
} as const;

export const CONSUMERS = {
  /** Durable consumer of TURNS that every agent process pulls from. */
  agents: 'agents',
} as const;

export const BUCKETS = {
  /** State of every conversation: which turns have ended, which run is being produced. */
  runs: 'runs',
  /** Maintenance appointments, by customer. */
  appointments: 'appointments',
} as const;
