/** Which Origins may open a WebSocket. Browsers always send one; other clients rarely do. */
export class Origins {
  readonly #allowed: ReadonlySet<string>;
  readonly #localhost: boolean;

  constructor(allowed: readonly string[], localhostAllowed: boolean) {
    this.#allowed = new Set(allowed.map((origin) => origin.replace(/\/+$/, '').toLowerCase()));
    this.#localhost = localhostAllowed;
  }

  /** `origin` is the header's value, empty when there is none. */
  allows(origin: string): boolean {
    if (origin === '' || this.#allowed.has(origin.toLowerCase())) return true;
    return this.#localhost && /^https?:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/i.test(origin);
  }
}
