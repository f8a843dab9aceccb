/**
 * Who sent a push. With a secret Dialpad sends its whole body as a compact JWT, HS256; there is no signature header, no
 * expiry and no event id in it, so a replayed body is told by its version alone. The algorithm is pinned: what names
 * another (`none`, RS256, HS512) is refused before its signature is looked at, and so is unsigned JSON.
 */
import { compactVerify, errors } from 'jose';

export type Verified =
  | {
      readonly kind: 'verified';
      readonly payload: Uint8Array;
      /** Which of the secrets signed it; null: unsigned, and none is set. */ readonly secret: number | null;
    }
  | { readonly kind: 'refused'; readonly reason: Refusal };

export type Refusal = 'unsigned' | 'not_a_jwt' | 'algorithm_refused' | 'signature_refused' | 'no_secret_configured';

const COMPACT = /^[\w-]+\.[\w-]*\.[\w-]*$/;
const OPEN_BRACE = 0x7b;

export type Verify = (body: Uint8Array) => Promise<Verified>;

/** `secrets`: the active ones, of which any may have signed: one, or two while they are changed. */
export function verifier(secrets: readonly string[]): Verify {
  const keys = secrets.map((secret) => new TextEncoder().encode(secret));
  return async (body) => {
    const token = Buffer.from(body).toString('latin1').trim();
    const isCompact = COMPACT.test(token);
    if (keys.length === 0) {
      return isCompact ? refused('no_secret_configured') : { kind: 'verified', payload: body, secret: null };
    }
    if (!isCompact) return refused(token.codePointAt(0) === OPEN_BRACE ? 'unsigned' : 'not_a_jwt');
    return verifyWithAny(token, keys);
  };
}

async function verifyWithAny(token: string, keys: readonly Uint8Array[]): Promise<Verified> {
  for (const [secret, key] of keys.entries()) {
    const outcome = await verifyWith(token, key);
    if (outcome instanceof Uint8Array) return { kind: 'verified', payload: outcome, secret };
    if (outcome !== 'signature_refused') return refused(outcome);
  }
  return refused('signature_refused');
}

async function verifyWith(token: string, key: Uint8Array): Promise<Uint8Array | Refusal> {
  try {
    return (await compactVerify(token, key, { algorithms: ['HS256'] })).payload;
  } catch (error) {
    if (error instanceof errors.JWSSignatureVerificationFailed) return 'signature_refused';
    if (error instanceof errors.JOSEAlgNotAllowed) return 'algorithm_refused';
    if (error instanceof errors.JOSEError) return 'not_a_jwt';
    throw error;
  }
}

function refused(reason: Refusal): Verified {
  return { kind: 'refused', reason };
}
