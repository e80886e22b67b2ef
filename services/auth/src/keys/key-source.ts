/** A source of keys that we trust, and what each token signed by it must look like. */
import type { CryptoKey } from 'jose';

/** What `TokenVerifier` reads of a protected header before it trusts it. */
export interface TokenHeader {
  alg: string;
  kid?: string;
}

export interface KeySource {
  name: 'own' | 'shared-secret' | 'identity-provider';
  /** Values of the header `alg`; nothing the token says can widen them. */
  algorithms: readonly string[];
  /** Value of the header `typ`, required. */
  typ: string;
  /** Value of `iss`; null: the tokens carry none. */
  issuer: string | null;
  /** A value of `aud`; null: the tokens carry none. */
  audience: string | null;
  requiredClaims: readonly string[];
  /** Whether the claim `type` must be there. Where it is there, it must be `access`. */
  typeRequired: boolean;
  /** How long a verified token may be remembered, in seconds: as long as its key is sure to be trusted. */
  rememberS: number;
  /**
   * The one key for this header, or null when the source has none.
   *
   * Throws KeysUnavailable when the keys can't be had. Never more than one: a token that fits no
   * key is not tried on the others.
   */
  key(header: TokenHeader): Promise<CryptoKey | null>;
}

/** The keys of a source can't be had now, so nobody can tell whether a token is good. */
export class KeysUnavailable extends Error {
  readonly code = 'KEYS_UNAVAILABLE';
  constructor(message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'KeysUnavailable';
  }
}
