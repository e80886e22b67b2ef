/** What a dialect may read of an upgrade request, while the request lives. */
import type { HttpRequest } from 'uWebSockets.js';
import type { Handshake } from '../session/dialect.ts';
import { Query } from './query.ts';

export class UpgradeHandshake implements Handshake {
  readonly #request: HttpRequest;
  readonly #query: Query;

  /** `request` is dead once the upgrade handler has returned. */
  constructor(request: HttpRequest) {
    this.#request = request;
    // Undefined without a question mark, whatever its type says.
    this.#query = new Query(request.getQuery() ?? '');
  }

  param(): string {
    return decoded(this.#request.getParameter(0) ?? '');
  }

  query(name: string): string | undefined {
    return this.#query.get(name);
  }

  queries(name: string): string[] {
    return this.#query.all(name);
  }

  header(name: string): string {
    return this.#request.getHeader(name);
  }
}

/** A malformed escape reads as absent. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return '';
  }
}
