/**
 * Access tokens: fetched when first needed, renewed once for all who find theirs expired (single flight). Salesforce does
 * not say when a token expires; a 401 does. Flows: JWT bearer, refresh token, client credentials (Salesforce Help,
 * "OAuth Authorization Flows"). Own requests rather than jsforce's: see docs/adr/0004-salesforce-own-requests.md.
 */
import { importPKCS8, SignJWT } from 'jose';
import { MICROS_PER_SECOND, type Clock } from '#core/clock.ts';
import { InvalidMessage, Misconfigured, Unauthorized } from '#core/errors.ts';
import type { VendorClient } from '#core/vendor/client.ts';
import { isRecord, readJson } from '#core/vendor/json.ts';

export interface Token {
  readonly accessToken: string;
  /** 18 characters: names the org in every record's key. */
  readonly orgId: string;
}

export interface Credentials {
  readonly loginUrl: string;
  readonly clientId: string;
  readonly clientSecret: string | null;
  readonly refreshToken: string | null;
  readonly username: string | null;
  readonly privateKey: string | null;
}

export interface Session {
  token(): Promise<Token>;
  /** A token other than `stale`. Throws `Unauthorized` when the credentials are refused: do not try again by yourself. */
  renew(stale: Token): Promise<Token>;
}

export interface SessionOptions {
  readonly credentials: Credentials;
  readonly client: VendorClient;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

const JWT_SECONDS = 180;
const TIMEOUT_MS = 30_000;

export function openSession(options: SessionOptions): Session {
  let current: Promise<Token> | null = null;
  let held: Token | null = null;

  function fetchOnce(): Promise<Token> {
    current ??= fetchToken(options)
      .then((token) => (held = token))
      .finally(() => (current = null));
    return current;
  }

  return {
    token: () => (held === null ? fetchOnce() : Promise.resolve(held)),
    renew(stale) {
      if (held !== null && held.accessToken !== stale.accessToken) return Promise.resolve(held);
      held = null;
      return fetchOnce();
    },
  };
}

async function fetchToken(options: SessionOptions): Promise<Token> {
  const form = new URLSearchParams(await grant(options));
  const { loginUrl } = options.credentials;
  const body = new TextEncoder().encode(form.toString());
  return options.client.exchange(
    {
      instance: new URL(loginUrl).host,
      method: 'POST',
      url: `${loginUrl}/services/oauth2/token`,
      headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
      body,
      purpose: 'auth',
      timeoutMs: TIMEOUT_MS,
      signal: options.signal,
    },
    async (response) => {
      const answer = await readJson(response, 64 * 1024);
      if (response.status !== 200) throw refused(response.status, answer);
      return tokenOf(answer);
    },
  );
}

async function grant({ credentials, clock }: SessionOptions): Promise<Record<string, string>> {
  const { clientId, clientSecret, refreshToken, username, privateKey } = credentials;
  const secret: Record<string, string> = clientSecret === null ? {} : { client_secret: clientSecret };
  if (privateKey !== null && username !== null)
    return {
      grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
      assertion: await assertion(credentials, privateKey, username, clock),
    };
  if (refreshToken !== null)
    return { grant_type: 'refresh_token', client_id: clientId, refresh_token: refreshToken, ...secret };
  if (clientSecret !== null) return { grant_type: 'client_credentials', client_id: clientId, ...secret };
  throw new Misconfigured(
    'no_credentials',
    'Set salesforce.clientSecret, or salesforce.refreshToken, or salesforce.privateKey with salesforce.username.',
  );
}

async function assertion(
  { clientId, loginUrl }: Credentials,
  privateKey: string,
  username: string,
  clock: Clock,
): Promise<string> {
  const key = await importPKCS8(privateKey.replaceAll('\\n', '\n'), 'RS256');
  return new SignJWT({})
    .setProtectedHeader({ alg: 'RS256' })
    .setIssuer(clientId)
    .setSubject(username)
    .setAudience(loginUrl)
    .setExpirationTime(Math.floor(clock.nowMicros() / MICROS_PER_SECOND) + JWT_SECONDS)
    .sign(key);
}

function refused(status: number, answer: unknown): Unauthorized {
  const code = isRecord(answer) && typeof answer.error === 'string' ? answer.error.replaceAll(/\W/g, '_') : 'refused';
  return new Unauthorized(
    `token_${code}`,
    `Salesforce refused the credentials (${status}, ${code}): check the app, its user and its secret.`,
  );
}

function tokenOf(answer: unknown): Token {
  if (!isRecord(answer) || typeof answer.access_token !== 'string')
    throw new InvalidMessage(
      'no_token',
      'The token endpoint answered without an access token: check salesforce.loginUrl.',
    );
  return { accessToken: answer.access_token, orgId: orgIdOf(answer) };
}

/** From the identity URL `…/id/<org>/<user>`, else from the token, which starts with the org's id and `!`. */
function orgIdOf(answer: Readonly<Record<string, unknown>>): string {
  const fromIdentity = typeof answer.id === 'string' ? /\/id\/([A-Za-z0-9]{15,18})\//.exec(answer.id)?.[1] : undefined;
  const orgId = fromIdentity ?? String(answer.access_token).split('!')[0] ?? '';
  if (!/^00D[A-Za-z0-9]{12}(?:[A-Za-z0-9]{3})?$/.test(orgId))
    throw new InvalidMessage('no_org_id', 'The token endpoint did not say which org it is: check salesforce.loginUrl.');
  return longId(orgId);
}

const SUFFIX = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ012345';

/** The 18-character form of an id: three characters more say which of the 15 are capitals. */
export function longId(id: string): string {
  if (id.length !== 15) return id;
  let suffix = '';
  for (let block = 0; block < 3; block += 1) {
    let bits = 0;
    for (let at = 0; at < 5; at += 1) if (/[A-Z]/.test(id[block * 5 + at] ?? '')) bits |= 1 << at;
    suffix += SUFFIX[bits];
  }
  return id + suffix;
}
