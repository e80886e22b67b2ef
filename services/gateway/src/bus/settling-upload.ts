/** One upload that is known here, and the parts of it of which the uploads service has not heard. */
import { PARTS_TO_SETTLE, type StoredPart, type UploadsReply, type UploadsRequest } from '@natter/proto';
import type { UploadGrant } from './upload-grant.ts';
import type { UploadsAnswer } from './uploads-client.ts';

/** Stored bytes of which it has not heard: by so much several gateways may exceed an upload's size. */
const UNSETTLED_BYTES = 8 * 1024 * 1024;
/** And for so long: what came after its upload ended goes then. */
const UNSETTLED_MS = 1_000;
/** While it can't be asked; a part that is sent again counts again. */
const UNSETTLED_LIMIT = 4 * PARTS_TO_SETTLE;

export interface SettlingDeps {
  ask(request: UploadsRequest): Promise<UploadsAnswer>;
  now: () => number;
  /** The service says that it takes no more parts. */
  over(upload: SettlingUpload): void;
  /** A settle that nobody waits for failed; it is tried again. */
  onFailure(error: unknown): void;
}

export class SettlingUpload {
  readonly grant: UploadGrant;
  readonly #deps: SettlingDeps;
  #unsettled: StoredPart[] = [];
  #bytes = 0;
  #settling: Promise<UploadsAnswer> | null = null;
  /** The one after it. */
  #next: Promise<UploadsAnswer> | null = null;
  #timer: NodeJS.Timeout | null = null;

  constructor(grant: UploadGrant, deps: SettlingDeps) {
    this.grant = grant;
    this.#deps = deps;
  }

  /** Too much is stored of which the service has not heard: no more is to be. */
  get isFull(): boolean {
    return this.#unsettled.length >= UNSETTLED_LIMIT;
  }

  /** What the service said of it, asked by somebody else. */
  update({ progress, parts }: Pick<Extract<UploadsReply, { ok: true }>, 'progress' | 'parts'>): void {
    this.grant.update({ progress, parts }, this.#unsettled);
  }

  /** It is stored, or may be: the service is to hear of it, soon. */
  note(part: StoredPart): void {
    this.#unsettled.push(part);
    this.#bytes += part.length;
    this.#settleSoon(this.#isMuch ? 0 : UNSETTLED_MS);
  }

  /** Parts of which the service has not heard; nobody tells it of them any more. */
  takeUnsettled(): StoredPart[] {
    this.#stopTimer();
    this.#bytes = 0;
    return this.#unsettled.splice(0);
  }

  /** Tells of what was stored so far, 256 parts at most; resolves with what has arrived then. */
  settle(): Promise<UploadsAnswer> {
    if (this.#settling === null && this.#next === null) return this.#begin();
    // The one under way does not know of what was stored since: all who come meanwhile share the next.
    this.#next ??= Promise.allSettled([this.#settling]).then(() => {
      this.#next = null;
      return this.#begin();
    });
    return this.#next;
  }

  /** Tells of all; never rejects. */
  async settleAll(): Promise<void> {
    try {
      for (let told = 0; told < UNSETTLED_LIMIT && this.#unsettled.length > 0; told += PARTS_TO_SETTLE)
        await this.settle();
    } catch (error) {
      this.#deps.onFailure(error);
    }
  }

  get #isMuch(): boolean {
    return this.#bytes >= UNSETTLED_BYTES || this.#unsettled.length >= PARTS_TO_SETTLE / 2;
  }

  #begin(): Promise<UploadsAnswer> {
    this.#settling = this.#settleNow().finally(() => {
      this.#settling = null;
    });
    return this.#settling;
  }

  async #settleNow(): Promise<UploadsAnswer> {
    const { sub, id, expiresAt } = this.grant;
    const stored = this.#unsettled.splice(0, PARTS_TO_SETTLE);
    this.#bytes = bytesOf(this.#unsettled);
    this.#stopTimer();
    let isHeard = false;
    try {
      const answer = await this.#deps.ask({ op: 'settle', sub, id, total: null, stored });
      if (answer.ok) this.update(answer);
      else this.#deps.over(this);
      isHeard = true;
      return answer;
    } catch (error) {
      // One that expires takes its parts with it.
      if (expiresAt > this.#deps.now()) {
        this.#unsettled.unshift(...stored);
        this.#bytes += bytesOf(stored);
      }
      throw error;
    } finally {
      if (this.#unsettled.length > 0) this.#settleSoon(isHeard && this.#isMuch ? 0 : UNSETTLED_MS);
    }
  }

  #settleSoon(afterMs: number): void {
    if (this.#timer !== null && afterMs > 0) return;
    this.#stopTimer();
    this.#timer = setTimeout(() => {
      this.#timer = null;
      if (this.#unsettled.length > 0) this.settle().catch(this.#deps.onFailure);
    }, afterMs).unref();
  }

  #stopTimer(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}

function bytesOf(parts: readonly StoredPart[]): number {
  return parts.reduce((sum, { length }) => sum + length, 0);
}
