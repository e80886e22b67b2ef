/** Why a token was refused, and the answer that says so. */
import type { TokenRefusal, VerifyReply } from '@natter/proto';
import type { Logger } from '@natter/runtime';
import { errors } from 'jose';
import { KeysUnavailable } from '../keys/key-source.ts';

/** `detail` is for the log and never names a claim's value. */
export class TokenRefused extends Error {
  readonly code: TokenRefusal;
  constructor(code: TokenRefusal, detail: string, cause?: unknown) {
    super(detail, { cause });
    this.name = 'TokenRefused';
    this.code = code;
  }
}

/** Logs why, and answers it: `unavailable` is a warning, what clients send is not. */
export function refusal(error: unknown, log: Logger): Extract<VerifyReply, { ok: false }> {
  const refused = asRefused(error);
  const level = refused.code === 'unavailable' ? 'warn' : 'debug';
  log[level]({ err: refused.cause, reason: refused.code }, `refused: ${refused.message}`);
  return { ok: false, reason: refused.code };
}

function asRefused(error: unknown): TokenRefused {
  if (error instanceof TokenRefused) return error;
  if (error instanceof KeysUnavailable) return new TokenRefused('unavailable', error.message, error);
  if (error instanceof errors.JWTExpired) return new TokenRefused('expired', error.code);
  if (error instanceof errors.JOSEError) return new TokenRefused('invalid', `${error.code} ${error.message}`);
  // Such as a key of the provider that is too weak for its algorithm.
  return new TokenRefused('unavailable', 'a token could not be checked', error);
}
