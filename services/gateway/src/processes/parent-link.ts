/** A gateway process's side of the channel to its parent. */
import type { GatewayWord, ParentWord } from './words.ts';

/** What a gateway does that is one of several. */
export interface ParentLink {
  /** Says that it lives, and how many connections it has. */
  report(connections: number): void;
  /** Called whenever the parent has shared out connections anew. */
  onShare(callback: (maxConnections: number) => void): void;
}

/** What it needs of `process`. */
interface Channel {
  readonly connected: boolean;
  send?(word: GatewayWord, sent: () => void): boolean;
  on(event: 'message', callback: (word: unknown) => void): unknown;
}

export function parentLink(channel: Channel): ParentLink {
  let isSending = false;
  return {
    report(connections) {
      // A parent that doesn't read must not make words pile up here.
      if (isSending || !channel.connected) return;
      isSending = true;
      channel.send?.({ connections }, () => {
        isSending = false;
      });
    },
    onShare: (callback) =>
      void channel.on('message', (word) => {
        const { maxConnections } = word as Partial<ParentWord>;
        if (maxConnections !== undefined) callback(maxConnections);
      }),
  };
}
