/** API keys over HTTP, for admins: make, list, revoke. */
import { ApiKeyInfo, type ApiKeysReply, ApiKeysRequest, type ErrorCode } from '@natter/proto';
import { z } from 'zod';
import type { AuthClient } from '../bus/auth-client.ts';
import { jsonBody } from './json-body.ts';
import { errorReply, type HttpReply, json, type Method, type Route } from './route.ts';
import { isAdmin, type SignedInRequest, type SignInDeps, signedIn } from './signed-in.ts';

export interface ApiKeyRouteDeps extends SignInDeps {
  auth: Pick<AuthClient, 'verify' | 'apiKeys'>;
}

const PATH = '/api/v1/api-keys';
/** A name of 64 characters, each of them escaped, and the rest. */
const MAX_BODY_BYTES = 4_096;

const [Create] = ApiKeysRequest.options;
/** Strict: a key whose misspelt `ttl_s` is overlooked would never expire. */
const NewKey = z.strictObject({
  name: Create.shape.name,
  scopes: Create.shape.scopes,
  ttl_s: Create.shape.ttlS,
});

const CODES: Record<Extract<ApiKeysReply, { ok: false }>['reason'], ErrorCode> = {
  invalid: 'INVALID_FIELD',
  not_found: 'NOT_FOUND',
  too_many: 'TOO_MANY_API_KEYS',
  unavailable: 'UNAVAILABLE',
};

export function apiKeyRoutes(deps: ApiKeyRouteDeps): Route[] {
  const route = (
    method: Method,
    path: string,
    maxBodyBytes: number,
    handle: (request: SignedInRequest) => Promise<HttpReply>,
  ): Route => ({
    method,
    path,
    maxBodyBytes,
    handle: signedIn(deps, 'api_key', (request) =>
      isAdmin(request.principal)
        ? handle(request)
        : errorReply('ADMIN_ONLY', { correlationId: request.trace.traceId }),
    ),
  });
  return [
    route('POST', PATH, MAX_BODY_BYTES, (request) => create(deps, request)),
    route('GET', PATH, 0, (request) => list(deps, request)),
    route('DELETE', `${PATH}/:id`, 0, (request) => revoke(deps, request)),
  ];
}

async function create(deps: ApiKeyRouteDeps, request: SignedInRequest): Promise<HttpReply> {
  const body = jsonBody(request.body, NewKey);
  if (!body.ok) return body.reply;
  const { name, scopes, ttl_s: ttlS } = body.value;
  const made = await ask(deps, request, { op: 'create', name, scopes, ttlS });
  if (!made.ok) return made.reply;
  const [info] = made.keys;
  if (made.key === undefined || info === undefined) throw new Error('the auth service made no key');
  const { id } = info;
  deps.log.info(
    { id, name, scopes: info.scopes, by: request.principal.sub, traceId: request.trace.traceId },
    'an API key was made',
  );
  return json(201, { key: made.key, ...keyBody(info) });
}

async function list(deps: ApiKeyRouteDeps, request: SignedInRequest): Promise<HttpReply> {
  const found = await ask(deps, request, { op: 'list' });
  return found.ok ? json(200, { keys: found.keys.map(keyBody) }) : found.reply;
}

async function revoke(deps: ApiKeyRouteDeps, request: SignedInRequest): Promise<HttpReply> {
  const { traceId } = request.trace;
  // No key has another kind of id.
  const id = ApiKeyInfo.shape.id.safeParse(request.param('id'));
  if (!id.success) return errorReply('NOT_FOUND', { correlationId: traceId });
  const gone = await ask(deps, request, { op: 'revoke', id: id.data });
  if (!gone.ok) return gone.reply;
  deps.log.info({ id: id.data, by: request.principal.sub, traceId }, 'an API key was revoked');
  return json(200, { id: id.data, status: 'revoked' });
}

/** Asks the auth service; `reply` is what a refusal is answered with. */
async function ask({ auth }: ApiKeyRouteDeps, { trace }: SignedInRequest, question: ApiKeysRequest) {
  const answer = await auth.apiKeys(question);
  if (answer.ok) return answer;
  const reply = errorReply(CODES[answer.reason], { correlationId: trace.traceId });
  return { ok: false, reply } as const;
}

function keyBody({ id, name, scopes, createdAt, expiresAt }: ApiKeyInfo) {
  return {
    id,
    name,
    scopes,
    created_at: new Date(createdAt).toISOString(),
    expires_at: expiresAt === null ? null : new Date(expiresAt).toISOString(),
  };
}
