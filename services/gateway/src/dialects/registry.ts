/** The dialects this gateway speaks. */
import type { Dialect } from '../session/dialect.ts';
import { chatV1 } from './chat-v1/codec.ts';
import { fastchatAdmin, fastchatUser } from './fastchat-v1/codec.ts';
import { roomsV1 } from './rooms-v1/codec.ts';
import { sessionV1 } from './session-v1/codec.ts';

export const DIALECTS: readonly Dialect[] = [chatV1, fastchatUser, fastchatAdmin, sessionV1, roomsV1];
