/** Calls of the Pub/Sub API with a token: an expired one is renewed and the call made once more. */
import { InvalidMessage, Unauthorized } from '#core/errors.ts';
import { RpcError, type VendorRpc } from '#core/ports/vendor.ts';
import { isRecord } from '#core/vendor/json.ts';
import { RPC } from '../allow-list.ts';
import type { Org } from '../org/org.ts';
import type { Token } from '../org/session.ts';

/** Every call carries the token, the instance and the org (Pub/Sub API Guide, "Authentication"). */
export function rpcWith(org: Org, rpc: string, token: Token, signal: AbortSignal): VendorRpc {
  const { config } = org.context;
  const instanceUrl = config['salesforce.instanceUrl'];
  return {
    rpc,
    endpoint: config['salesforce.grpcEndpoint'],
    instance: new URL(instanceUrl).host,
    metadata: { accesstoken: token.accessToken, instanceurl: instanceUrl, tenantid: token.orgId },
    purpose: 'prompt',
    signal,
  };
}

export function isUnauthenticated(error: unknown): boolean {
  return error instanceof RpcError && error.failure.status === 'UNAUTHENTICATED';
}

async function call(
  org: Org,
  rpc: string,
  message: Readonly<Record<string, unknown>>,
  signal: AbortSignal,
): Promise<unknown> {
  const token = await org.session.token();
  try {
    return await org.vendor.call<object, unknown>(rpcWith(org, rpc, token, signal), message);
  } catch (error) {
    if (!isUnauthenticated(error)) throw error;
    return org.vendor.call<object, unknown>(rpcWith(org, rpc, await org.session.renew(token), signal), message);
  }
}

export async function fetchSchema(org: Org, schemaId: string): Promise<string> {
  const answer = await call(org, RPC.getSchema, { schema_id: schemaId }, org.context.signal);
  if (isRecord(answer) && typeof answer.schema_json === 'string') return answer.schema_json;
  throw new InvalidMessage('unknown_schema', 'Salesforce answered for a schema without giving one.');
}

/** Throws `Unauthorized` where the integration user may not subscribe to the channel. */
export async function checkTopic(org: Org, topic: string, signal: AbortSignal): Promise<void> {
  const answer = await call(org, RPC.getTopic, { topic_name: topic }, signal);
  if (!isRecord(answer) || answer.can_subscribe !== true)
    throw new Unauthorized(
      'cannot_subscribe',
      `The integration user may not subscribe to ${topic}: select its objects for change data capture, and let the user view all of them.`,
    );
}
