/** Tokens that look right and were signed by somebody else, or by nobody. */
import { generateKeyPairSync, sign } from 'node:crypto';

const { privateKey } = generateKeyPairSync('ed25519');

/** The claims of our own tokens under a stranger's Ed25519 key, with the key id of `genuine`. */
export function signedByAStranger(genuine: string): string {
  const [head, claims] = genuine.split('.');
  const signature = sign(null, Buffer.from(`${head}.${claims}`), privateKey).toString('base64url');
  return `${head}.${claims}.${signature}`;
}

/** The same claims with `alg` `none` and no signature (RFC 8725 section 2.1). */
export function signedByNobody(genuine: string): string {
  const head = Buffer.from(JSON.stringify({ alg: 'none', typ: 'JWT' })).toString('base64url');
  return `${head}.${genuine.split('.')[1]}.`;
}
