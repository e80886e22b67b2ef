/** A principal as a connection keeps it, in as little memory as it can be. */
import type { Principal } from '@natter/proto';

/** Of the many who have none; never written to. */
const NONE: string[] = [];

/** The same; what a schema has made is larger, as its fields were added one by one. */
export function leanPrincipal({ sub, email, name, roles, scopes, expiresAt }: Principal): Principal {
  return {
    sub,
    email,
    name,
    roles: roles.length === 0 ? NONE : roles,
    scopes: scopes.length === 0 ? NONE : scopes,
    expiresAt,
  };
}
