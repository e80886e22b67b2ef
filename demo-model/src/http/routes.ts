/** Which path does what; everything else is a 404 or 405 in JSON. */
import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { BehaviourControl } from '../behaviour/behaviour-control.ts';
import { ApiError, sendError, sendJson } from './api-error.ts';
import type { ChatCompletions } from './chat-completions.ts';
import { readJsonBody } from './json-body.ts';

export const MODEL = 'natter-demo';

type Handler = (
  request: IncomingMessage,
  response: ServerResponse,
  requestId: string,
) => Promise<void> | void;

export interface RoutesDeps {
  completions: ChatCompletions;
  control: BehaviourControl;
  /** Gets errors that are nobody's request's fault. */
  onError: (error: unknown) => void;
}

/** The listener of an http.Server. */
export function createRoutes({ completions, control, onError }: RoutesDeps) {
  const showBehaviour: Handler = (_request, response) => sendJson(response, 200, control.behaviour);
  const routes: Record<string, Record<string, Handler>> = {
    '/v1/chat/completions': { POST: (...args) => completions.handle(...args) },
    '/v1/models': {
      GET: (_request, response) => sendJson(response, 200, { object: 'list', data: [MODEL_CARD] }),
    },
    '/health': { GET: (_request, response) => sendJson(response, 200, { status: 'ok' }) },
    '/demo/behaviour': {
      GET: showBehaviour,
      POST: async (request, response, requestId) => {
        control.set((await readJsonBody(request)).value);
        await showBehaviour(request, response, requestId);
      },
    },
  };

  const handle = async (request: IncomingMessage, response: ServerResponse, requestId: string) => {
    const path = request.url?.split('?')[0] ?? '/';
    const methods = Object.hasOwn(routes, path) ? routes[path] : undefined;
    if (methods === undefined)
      throw new ApiError({ status: 404, code: 'not_found', message: 'There is nothing at this path.' });
    const method = request.method ?? '';
    const handler = Object.hasOwn(methods, method) ? methods[method] : undefined;
    if (handler === undefined) {
      const allow = Object.keys(methods).join(', ');
      throw new ApiError({
        status: 405,
        code: 'method_not_allowed',
        message: `Use ${allow} here.`,
        headers: { allow },
      });
    }
    await handler(request, response, requestId);
  };

  return (request: IncomingMessage, response: ServerResponse): void => {
    const requestId = `req_${randomBytes(16).toString('hex')}`;
    response.setHeader('x-request-id', requestId);
    handle(request, response, requestId).catch((error: unknown) => {
      // The client left while its body was read: there is nobody to tell.
      if (request.destroyed && !request.complete) return response.destroy();
      if (error instanceof ApiError) return sendError(response, error);
      onError(error);
      sendError(
        response,
        new ApiError({ status: 500, code: 'internal_error', message: 'The demo model made a mistake.' }),
      );
    });
  };
}

const MODEL_CARD = { id: MODEL, object: 'model', created: 1_700_000_000, owned_by: 'natter' };
