/** One request, answered by everybody who listens: gathers the answers that come in time. */
import { createInbox, type Msg, type NatsConnection } from '@nats-io/transport-node';

export interface Scatter {
  /** Ends with this many answers. */
  max: number;
  /** Ends after this long, whatever has come. */
  timeoutMs: number;
}

/** Status of an answer that the broker gives where nobody listens (NATS ADR-22). */
const NO_RESPONDERS = 503;

/** Resolves with at most `max` answers, none when nobody listens; throws when the connection is closed. */
export async function scatter(
  nc: NatsConnection,
  inboxPrefix: string,
  subject: string,
  data: Uint8Array | string,
  { max, timeoutMs }: Scatter,
): Promise<Uint8Array[]> {
  const { promise: done, resolve: finish } = Promise.withResolvers<void>();
  const answers: Uint8Array[] = [];
  const inbox = createInbox(inboxPrefix);
  const take = (error: Error | null, message: Msg) => {
    if (error !== null || message.headers?.code === NO_RESPONDERS) return finish();
    if (answers.length < max) answers.push(message.data);
    if (answers.length >= max) finish();
  };
  const subscription = nc.subscribe(inbox, { callback: take });
  const deadline = setTimeout(finish, timeoutMs);
  try {
    nc.publish(subject, data, { reply: inbox });
    await done;
  } finally {
    clearTimeout(deadline);
    subscription.unsubscribe();
  }
  return answers;
}
