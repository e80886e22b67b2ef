/** A chat-v1 connection of the load: signs in with the upgrade, asks, hands over what it gets. */
import { RawSocket } from './raw-socket.ts';

export interface ChatSocketOptions {
  port: number;
  token: string;
  /** A text frame after the sign-in; the payload is good until it returns. */
  onFrame?: (payload: Buffer) => void;
  /** The connection went away by itself after the sign-in. */
  onLost?: (why: string) => void;
}

export interface ChatSocket {
  ask(question: string, session: string): void;
  drop(): void;
}

const SIGN_IN_MS = 10_000;
const SIGNED_IN = Buffer.from('{"type":"auth_success"');

/** Resolves when the gateway has accepted the token; rejects after 10 s or with its refusal. */
export function openChat({ port, token, onFrame, onLost }: ChatSocketOptions): Promise<ChatSocket> {
  return new Promise((resolve, reject) => {
    let signedIn = false;
    const timer = setTimeout(() => fail(`no verdict on the token for ${SIGN_IN_MS} ms`), SIGN_IN_MS);
    const fail = (why: string) => {
      clearTimeout(timer);
      socket.drop();
      reject(new Error(`a chat connection failed: ${why}`));
    };
    const socket = new RawSocket({
      port,
      path: `/ws/chat?token=${token}`,
      onText: (payload) => {
        if (signedIn) return onFrame?.(payload);
        if (!payload.subarray(0, SIGNED_IN.length).equals(SIGNED_IN))
          return fail(payload.subarray(0, 300).toString());
        signedIn = true;
        clearTimeout(timer);
        resolve({
          ask: (message, session_id) => socket.send(JSON.stringify({ type: 'message', message, session_id })),
          drop: () => socket.drop(),
        });
      },
      onLost: (why) => (signedIn ? onLost?.(why) : fail(why)),
    });
  });
}
