/** Asks the auth service; knows nothing of tokens itself. */
import {
  ACCESS_AT_ONCE,
  ApiKeysReply,
  type ApiKeysRequest,
  IssueReply,
  type IssueRequest,
  JwksReply,
  LoginReply,
  type LoginRequest,
  SUBJECTS,
  type TokenUse,
  VERIFY_AT_ONCE,
  VerifyManyReply,
  VerifyReply,
  type VerifyRequest,
} from '@natter/proto';
import { type Bus, whileUnavailable } from '@natter/runtime';
import { Batches } from './batches.ts';

/** Of the tokens of one request; as many as there may be have 1 KB each. */
const BATCH_BYTES = 64 * 1024;
/** What a room counts as, so that an answer has no more than the auth service tells of: ACCESS_AT_ONCE. */
const ROOM_BYTES = BATCH_BYTES / ACCESS_AT_ONCE;

const decoder = new TextDecoder();

export class AuthClient {
  readonly #bus: Pick<Bus, 'request'>;
  readonly #timeoutMs: number;
  readonly #verifications: Batches<VerifyRequest, VerifyReply>;

  constructor(bus: Pick<Bus, 'request'>, timeoutMs: number) {
    this.#bus = bus;
    this.#timeoutMs = timeoutMs;
    this.#verifications = new Batches({
      send: (asks) => this.#verify(asks),
      maxAsks: VERIFY_AT_ONCE,
      maxBytes: BATCH_BYTES,
      bytesOf: ({ token, rooms = [] }) => token.length + rooms.length * ROOM_BYTES,
    });
  }

  /**
   * Whether a token is good, and which of some rooms its owner may be in.
   *
   * Tokens that are shown at the same time go in one request. Throws BusError UNAVAILABLE when no
   * auth service answers within twice the time limit.
   */
  async verify(token: string, use: TokenUse = 'access', rooms: string[] = []): Promise<VerifyReply> {
    const ask = rooms.length === 0 ? { token, use } : { token, use, rooms };
    return whileUnavailable(this.#timeoutMs, () => this.#verifications.ask(ask));
  }

  async #verify(asks: readonly VerifyRequest[]): Promise<VerifyReply[]> {
    const [ask] = asks;
    if (asks.length === 1) return [VerifyReply.parse(await this.#askOnce(SUBJECTS.authVerify, ask))];
    const reply = await this.#askOnce(SUBJECTS.authVerifyMany, { asks });
    return VerifyManyReply.parse(reply).replies;
  }

  /** Makes a token of a wire that has its own; see IssueReply for the refusals. */
  async issue(request: IssueRequest): Promise<IssueReply> {
    return IssueReply.parse(await this.#ask(SUBJECTS.authIssue, request));
  }

  /** Development login; see VerifyReply for the refusals. */
  async login(request: LoginRequest): Promise<LoginReply> {
    return LoginReply.parse(await this.#ask(SUBJECTS.authLogin, request));
  }

  async jwks(): Promise<JwksReply> {
    return JwksReply.parse(await this.#ask(SUBJECTS.authJwks, {}));
  }

  /**
   * Makes, lists or revokes API keys; the caller has seen that an admin asks.
   *
   * Throws BusError UNAVAILABLE, for `create` also when the answer was lost: it is asked once, as
   * another try would leave behind a key that nobody knows.
   */
  async apiKeys(request: ApiKeysRequest): Promise<ApiKeysReply> {
    const reply =
      request.op === 'create'
        ? await this.#askOnce(SUBJECTS.authApiKeys, request)
        : await this.#ask(SUBJECTS.authApiKeys, request);
    return ApiKeysReply.parse(reply);
  }

  async #ask(subject: string, body: unknown): Promise<unknown> {
    // Asking twice harms nobody, and a broker that restarts is back within a second.
    return whileUnavailable(this.#timeoutMs, (remainingMs) =>
      this.#askOnce(subject, body, Math.max(50, remainingMs)),
    );
  }

  async #askOnce(subject: string, body: unknown, timeoutMs = this.#timeoutMs): Promise<unknown> {
    return JSON.parse(decoder.decode(await this.#bus.request(subject, JSON.stringify(body), timeoutMs)));
  }
}
