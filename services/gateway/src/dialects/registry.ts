/** The dialects this gateway speaks. */
import type { Dialect } from '../session/dialect.ts';
import { chatV1 } from './chat-v1/codec.ts';

export const DIALECTS: readonly Dialect[] = [chatV1];
