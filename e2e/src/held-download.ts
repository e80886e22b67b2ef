/** A download that is taken as far as a test wants it, and held there. */
import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';

export class HeldDownload {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly #pieces: AsyncIterator<Buffer>;
  readonly #taken: Buffer[] = [];
  #bytes = 0;

  /** Resolves with the headers; of the body as much waits as the sockets hold. */
  static async open(url: string, token: string, headers: Record<string, string> = {}): Promise<HeldDownload> {
    const request = get(url, { headers: { authorization: `Bearer ${token}`, ...headers }, agent: false });
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    // A connection that breaks is what the iterator throws.
    request.on('error', () => undefined);
    return new HeldDownload(response);
  }

  private constructor(response: IncomingMessage) {
    this.status = response.statusCode ?? 0;
    this.headers = response.headers;
    this.#pieces = response[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  }

  /** What was taken so far. */
  get taken(): Buffer {
    return Buffer.concat(this.#taken);
  }

  /** Takes until it has so many bytes, or all; throws where the connection breaks. */
  async take(bytes = Number.POSITIVE_INFINITY): Promise<void> {
    while (this.#bytes < bytes) {
      const { done, value } = await this.#pieces.next();
      if (done) return;
      this.#taken.push(value);
      this.#bytes += value.length;
    }
  }
}
