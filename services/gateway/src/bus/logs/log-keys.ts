/**
 * Keeps to their keys those who read logs: a key that is revoked or changed is judged anew at once,
 * every key each minute and after a reconnect to the broker, and who has a bad one is shut out.
 */
import { apiKeyOf, type Principal, SUBJECTS, type VerifyReply } from '@natter/proto';
import type { Bus, Logger } from '@natter/runtime';
import { Gate } from '../gate.ts';
import { mayReadLogs } from './log-scopes.ts';

/** Somebody who reads by a key. */
export interface KeyHolder {
  readonly token: string;
  principal: Principal;
  end(reason: 'keyRevoked' | 'unavailable'): void;
}

interface HeldKey {
  token: string;
  holders: Set<KeyHolder>;
  /** To be judged. */
  isDue: boolean;
  /** Since when it may be bad, and nobody could say; null: there is no reason to think so. */
  doubtedAtMs: number | null;
  /** Counts doubts: a verdict on an earlier one says nothing about this one. */
  doubts: number;
  judging: boolean;
  /** When it was last found good. */
  judgedAtMs: number;
}

/** Who holds a key that nobody can judge goes on reading for so long, and is then shut out. */
const DOUBT_MS = 15_000;
/** Between brokers the word that a key was revoked may get lost: each is judged so often in any case. */
const JUDGED_MS = 60_000;
const JUDGED_AT_ONCE = 16;

export interface LogKeysDeps {
  auth: { verify(token: string, use: 'api_key'): Promise<VerifyReply> };
  bus: Pick<Bus, 'subscribe' | 'onReconnect'>;
  log: Logger;
  now: () => number;
}

export class LogKeys {
  readonly #deps: LogKeysDeps;
  readonly #keys = new Map<string, HeldKey>();
  readonly #gate = new Gate(JUDGED_AT_ONCE);
  #changes = 0;

  constructor(deps: LogKeysDeps) {
    this.#deps = deps;
    deps.bus.subscribe(SUBJECTS.apiKeyChanged('*'), ({ subject }) => {
      const id = subject.slice(subject.lastIndexOf('.') + 1);
      this.#doubt((sub) => apiKeyOf(sub) === id);
    });
    // What was changed meanwhile was not heard.
    deps.bus.onReconnect(() => this.#doubt(() => true));
  }

  /** How often keys were changed; take it before a key is verified, for `add`. */
  get changes(): number {
    return this.#changes;
  }

  /** From now on this holder loses what its key loses. */
  add(holder: KeyHolder, changes: number): void {
    const key = this.#keys.get(holder.token) ?? {
      token: holder.token,
      holders: new Set(),
      isDue: false,
      doubtedAtMs: null,
      doubts: 0,
      judging: false,
      judgedAtMs: this.#deps.now(),
    };
    this.#keys.set(holder.token, key);
    key.holders.add(holder);
    // It may be this one that was changed while it was being verified.
    if (changes !== this.#changes) this.#judgeAnew(key);
  }

  delete(holder: KeyHolder): void {
    const key = this.#keys.get(holder.token);
    key?.holders.delete(holder);
    if (key?.holders.size === 0) this.#keys.delete(holder.token);
  }

  /** Ends what has expired, and tries again what could not be judged; call it every second. */
  tick(): void {
    const nowMs = this.#deps.now();
    for (const key of this.#keys.values()) {
      for (const holder of key.holders)
        if (nowMs >= holder.principal.expiresAt * 1_000) this.#shutOut(holder, 'keyRevoked');
      if (nowMs - key.judgedAtMs >= JUDGED_MS) key.isDue = true;
      if (nowMs - (key.doubtedAtMs ?? nowMs) >= DOUBT_MS) this.#endAll(key, 'unavailable');
      else if (key.isDue) void this.#judge(key);
    }
  }

  #doubt(concerns: (sub: string) => boolean): void {
    this.#changes += 1;
    for (const key of this.#keys.values()) {
      const [holder] = key.holders;
      if (holder !== undefined && concerns(holder.principal.sub)) this.#judgeAnew(key);
    }
  }

  #judgeAnew(key: HeldKey): void {
    key.doubts += 1;
    key.isDue = true;
    key.doubtedAtMs ??= this.#deps.now();
    void this.#judge(key);
  }

  async #judge(key: HeldKey): Promise<void> {
    if (key.judging) return;
    key.judging = true;
    await this.#gate.run(async () => {
      // Nobody holds it any more.
      while (this.#keys.get(key.token) === key && key.isDue) {
        const { doubts } = key;
        const verdict = await this.#verify(key.token);
        if (!verdict.ok && verdict.reason === 'unavailable') return;
        if (doubts !== key.doubts) continue;
        key.isDue = false;
        key.doubtedAtMs = null;
        key.judgedAtMs = this.#deps.now();
        if (!verdict.ok || !mayReadLogs(verdict.principal)) return this.#endAll(key, 'keyRevoked');
        for (const holder of key.holders) holder.principal = verdict.principal;
      }
    });
    key.judging = false;
  }

  async #verify(token: string): Promise<VerifyReply> {
    try {
      return await this.#deps.auth.verify(token, 'api_key');
    } catch (err) {
      this.#deps.log.warn({ err }, 'a key could not be verified anew; trying again');
      return { ok: false, reason: 'unavailable' };
    }
  }

  #endAll(key: HeldKey, reason: 'keyRevoked' | 'unavailable'): void {
    for (const holder of [...key.holders]) this.#shutOut(holder, reason);
  }

  #shutOut(holder: KeyHolder, reason: 'keyRevoked' | 'unavailable'): void {
    this.delete(holder);
    holder.end(reason);
  }
}
