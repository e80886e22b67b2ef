/** What a principal may do with logs: by the scopes of its key or token, or as an admin. */
import type { Principal } from '@natter/proto';

export function mayReadLogs(principal: Principal): boolean {
  return may(principal, 'logs:read');
}

export function mayWriteLogs(principal: Principal): boolean {
  return may(principal, 'logs:write');
}

function may({ roles, scopes }: Principal, scope: 'logs:read' | 'logs:write'): boolean {
  return roles.includes('admin') || scopes.includes(scope) || scopes.includes('admin');
}
