/**
 * Tells a stream from an earlier one of the same name: by a text in its metadata.
 *
 * The broker's own time of creation won't do: a stream that is updated after a restart has another one
 * after the next restart (nats-server issue 8470, in 2.14.4 and before), and every start of ours
 * updates all streams.
 */
import { randomUUID } from 'node:crypto';
import type { StreamInfo } from '@nats-io/jetstream';

const LIFE = 'natter-life';

type Metadata = Record<string, string>;

/** For a stream that is about to be made. */
export function newLife(): Metadata {
  return { [LIFE]: randomUUID() };
}

export function lifeOf({ config, created }: StreamInfo): string {
  return config.metadata?.[LIFE] ?? created;
}

/** For an update: a stream that was made without a life gets the one it was known by so far. */
export function withLife<T extends object>(update: T, info: StreamInfo): T & { metadata?: Metadata } {
  const { metadata } = info.config;
  return metadata?.[LIFE] === undefined
    ? { ...update, metadata: { ...metadata, [LIFE]: info.created } }
    : update;
}
