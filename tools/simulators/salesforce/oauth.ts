/** Tokens: client credentials, refresh token, JWT bearer. OAuth's errors are an object, not the array of the data APIs. */
import type { Express, Request, Response } from 'express';
import { importSPKI, jwtVerify } from 'jose';
import { recordId } from '../world/index.ts';
import { bodyText } from './http.ts';
import type { Org } from './org.ts';

const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer';

export function mountOauth(app: Express, org: Org): void {
  app.post('/services/oauth2/token', (req, res, next) => void grant(org, req, res).catch(next));
  app.post('/services/oauth2/revoke', (req, res) => {
    org.sessions.revoke(new URLSearchParams(bodyText(req)).get('token') ?? '');
    res.status(200).end();
  });
  app.all('/services/oauth2/userinfo', (req, res) => {
    if (!org.sessions.isAuthorized(req.headers.authorization)) res.status(403).type('text').send('Bad_OAuth_Token');
    else res.json(identity(org));
  });
  app.get('/id/:orgId/:userId', (_req, res) => void res.json(identity(org)));
}

type Answer = { readonly status: number; readonly body: Readonly<Record<string, unknown>> };

async function grant(org: Org, req: Request, res: Response): Promise<void> {
  const form = new URLSearchParams(bodyText(req));
  const { status, body } = await answer(org, req, form);
  res.status(status).set('Cache-Control', 'no-store').json(body);
}

async function answer(org: Org, req: Request, form: URLSearchParams): Promise<Answer> {
  switch (form.get('grant_type')) {
    case 'client_credentials':
      return checkClient(org, req, form) ?? token(org, {});
    case 'refresh_token':
      if (!org.sessions.mayRefresh(form.get('refresh_token') ?? ''))
        return refused('invalid_grant', 'expired access/refresh token');
      return checkClient(org, req, form) ?? token(org, {});
    case 'authorization_code':
      return checkClient(org, req, form) ?? token(org, { refresh_token: org.sessions.refreshToken() });
    case JWT_BEARER:
      return (await checkAssertion(org, form.get('assertion') ?? '')) ?? token(org, {});
    default:
      return refused('unsupported_grant_type', 'grant type not supported');
  }
}

function refused(error: string, description: string): Answer {
  return { status: 400, body: { error, error_description: description } };
}

function checkClient({ options }: Org, req: Request, form: URLSearchParams): Answer | undefined {
  const basic = /^Basic (.+)$/.exec(req.headers.authorization ?? '')?.[1];
  const [basicId, basicSecret] = basic === undefined ? [] : Buffer.from(basic, 'base64').toString('utf8').split(':');
  if ((form.get('client_id') ?? basicId) !== options.clientId)
    return refused('invalid_client_id', 'client identifier invalid');
  if ((form.get('client_secret') ?? basicSecret) !== options.clientSecret)
    return refused('invalid_client', 'invalid client credentials');
  return undefined;
}

/** RS256; issuer the client, subject the user, audience the login host, and not expired. */
async function checkAssertion({ options, instanceUrl }: Org, assertion: string): Promise<Answer | undefined> {
  if (options.jwtPublicKey === null) return refused('invalid_grant', "user hasn't approved this consumer");
  try {
    const key = await importSPKI(options.jwtPublicKey, 'RS256');
    const { payload } = await jwtVerify(assertion, key, { algorithms: ['RS256'], requiredClaims: ['exp'] });
    if (payload.iss !== options.clientId) return refused('invalid_client_id', 'client identifier invalid');
    if (payload.aud !== instanceUrl) return refused('invalid_grant', 'audience is invalid');
    if (payload.sub !== options.username) return refused('invalid_grant', "user hasn't approved this consumer");
    return undefined;
  } catch {
    return refused('invalid_grant', 'invalid assertion');
  }
}

function token(org: Org, more: Readonly<Record<string, string>>): Answer {
  return {
    status: 200,
    body: {
      access_token: org.sessions.open(),
      signature: 'c2lnbmF0dXJl',
      scope: 'api',
      instance_url: org.instanceUrl,
      id: identityUrl(org),
      token_type: 'Bearer',
      issued_at: String(org.world.now()),
      ...more,
    },
  };
}

function identityUrl({ instanceUrl, orgId }: Org): string {
  return `${instanceUrl}/id/${orgId}/${recordId('User', 0)}`;
}

function identity(org: Org): Readonly<Record<string, unknown>> {
  const user_id = recordId('User', 0);
  return {
    id: identityUrl(org),
    sub: identityUrl(org),
    user_id,
    organization_id: org.orgId,
    preferred_username: org.options.username,
    username: org.options.username,
    urls: { rest: `${org.instanceUrl}/services/data/v{version}/` },
  };
}
