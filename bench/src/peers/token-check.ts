/** Checks a token of Natter's with jose, as an application does in its connection handler. */
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose';

/** What is known of a person who is in. */
export interface User {
  id: string;
  email: string | null;
  name: string | null;
}

export type TokenCheck = (token: string) => Promise<User>;

/** Rejects with jose's error what these keys have not signed, or what has expired. */
export function tokenCheck(jwks: JSONWebKeySet): TokenCheck {
  const keys = createLocalJWKSet(jwks);
  return async (token) => {
    const { payload } = await jwtVerify(token, keys, { requiredClaims: ['exp', 'sub'] });
    const { sub, email = null, name = null } = payload as { sub: string; email?: string; name?: string };
    return { id: sub, email, name };
  };
}
