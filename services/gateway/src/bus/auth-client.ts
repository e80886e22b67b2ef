/** Asks the auth service; knows nothing of tokens itself. */
import {
  IssueReply,
  type IssueRequest,
  JwksReply,
  LoginReply,
  type LoginRequest,
  SUBJECTS,
  type TokenUse,
  VerifyReply,
} from '@natter/proto';
import { type Bus, whileUnavailable } from '@natter/runtime';

const decoder = new TextDecoder();

export class AuthClient {
  readonly #bus: Bus;
  readonly #timeoutMs: number;

  constructor(bus: Bus, timeoutMs: number) {
    this.#bus = bus;
    this.#timeoutMs = timeoutMs;
  }

  /** Throws BusError UNAVAILABLE when no auth service answers within the time limit. */
  async verify(token: string, use: TokenUse = 'access'): Promise<VerifyReply> {
    return VerifyReply.parse(await this.#ask(SUBJECTS.authVerify, { token, use }));
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

  async #ask(subject: string, body: unknown): Promise<unknown> {
    const data = JSON.stringify(body);
    // Asking twice harms nobody, and a broker that restarts is back within a second.
    const reply = await whileUnavailable(this.#timeoutMs, (remainingMs) =>
      this.#bus.request(subject, data, Math.max(50, remainingMs)),
    );
    return JSON.parse(decoder.decode(reply));
  }
}
