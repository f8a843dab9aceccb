/** Webhooks and call event subscriptions, as an operator sets them up over the REST API. */
import { badRequest, notFound } from './answers.ts';

export interface Webhook {
  readonly id: string;
  hookUrl: string;
  secret: string | null;
}

export interface Subscription {
  readonly id: string;
  endpointId: string;
  enabled: boolean;
  groupCallsOnly: boolean;
  callStates: readonly string[];
  targetType: string | null;
  targetId: string | null;
}

export const CALL_STATES = new Set(
  (
    'admin admin_recording ai_playbook all barge blocked call_transcription calling connected csat dispositions eavesdrop hangup hold ' +
    'merged missed monitor parked pcsat postcall preanswer queued recap_action_items recap_outcome recap_purposes recap_summary ' +
    'recording ringing takeover transcription voicemail voicemail_uploaded'
  ).split(' '),
);
export const TARGET_TYPES = new Set(
  'callcenter callrouter channel coachinggroup coachingteam department office room staffgroup unknown user'.split(' '),
);

type Body = Readonly<Record<string, unknown>>;

export class Hooks {
  readonly webhooks = new Map<string, Webhook>();
  readonly subscriptions = new Map<string, Subscription>();
  #lastId = 6_000_000_000_000_000;

  createWebhook(body: Body): Webhook {
    const webhook: Webhook = { id: this.#nextId(), hookUrl: hookUrl(body['hook_url']), secret: secret(body['secret']) };
    this.webhooks.set(webhook.id, webhook);
    return webhook;
  }

  updateWebhook(id: string, body: Body): Webhook {
    const webhook = this.webhook(id);
    if (body['hook_url'] !== undefined) webhook.hookUrl = hookUrl(body['hook_url']);
    if (body['secret'] !== undefined) webhook.secret = secret(body['secret']);
    return webhook;
  }

  webhook(id: string): Webhook {
    const webhook = this.webhooks.get(id);
    if (webhook === undefined) throw notFound('Webhook not found.');
    return webhook;
  }

  createSubscription(body: Body): Subscription {
    if (body['endpoint_id'] === undefined) throw badRequest('endpoint_id is required.');
    const subscription: Subscription = {
      id: this.#nextId(),
      endpointId: '',
      enabled: true,
      groupCallsOnly: false,
      callStates: [],
      targetType: null,
      targetId: null,
    };
    this.#apply(subscription, body);
    this.subscriptions.set(subscription.id, subscription);
    return subscription;
  }

  updateSubscription(id: string, body: Body): Subscription {
    const subscription = this.subscription(id);
    this.#apply(subscription, body);
    return subscription;
  }

  subscription(id: string): Subscription {
    const subscription = this.subscriptions.get(id);
    if (subscription === undefined) throw notFound('Call event subscription not found.');
    return subscription;
  }

  #apply(subscription: Subscription, body: Body): void {
    const { endpoint_id: endpointId, enabled, group_calls_only: groupCallsOnly, call_states: states } = body;
    const { target_type: targetType, target_id: targetId } = body;
    if (endpointId !== undefined) subscription.endpointId = this.webhook(idText(endpointId)).id;
    if (enabled !== undefined) subscription.enabled = flag('enabled', enabled);
    if (groupCallsOnly !== undefined) subscription.groupCallsOnly = flag('group_calls_only', groupCallsOnly);
    if (states !== undefined) subscription.callStates = callStates(states);
    if (targetType === undefined && targetId === undefined) return;
    if (typeof targetType !== 'string' || !TARGET_TYPES.has(targetType)) throw badRequest('Invalid target_type.');
    subscription.targetType = targetType;
    subscription.targetId = idText(targetId);
  }

  #nextId(): string {
    this.#lastId += 1;
    return String(this.#lastId);
  }
}

export function webhookJson({ id, hookUrl: url, secret: key }: Webhook): Record<string, unknown> {
  const signature = key === null ? {} : { signature: { algo: 'HS256', secret: key, type: 'jwt' } };
  return { id, hook_url: url, ...signature };
}

export function subscriptionJson(subscription: Subscription, webhook: Webhook | undefined): Record<string, unknown> {
  const { id, callStates: states, enabled, groupCallsOnly, targetId, targetType } = subscription;
  const target = targetId === null ? {} : { target_id: targetId, target_type: targetType };
  const endpoint = webhook === undefined ? {} : { webhook: webhookJson(webhook) };
  return { id, call_states: states, enabled, group_calls_only: groupCallsOnly, ...target, ...endpoint };
}

function hookUrl(value: unknown): string {
  if (typeof value !== 'string' || !URL.canParse(value)) throw badRequest('hook_url must be a URL.');
  return value;
}

function secret(value: unknown): string | null {
  if (value === undefined || value === null) return null;
  if (typeof value !== 'string' || value.includes('\n')) throw badRequest('secret must be a single line of text.');
  return value === '' ? null : value;
}

function idText(value: unknown): string {
  if ((typeof value !== 'string' && typeof value !== 'number') || !/^\d{1,19}$/.test(String(value)))
    throw badRequest('An id must be an integer.');
  return String(value);
}

function flag(name: string, value: unknown): boolean {
  if (typeof value !== 'boolean') throw badRequest(`${name} must be a boolean.`);
  return value;
}

function callStates(value: unknown): readonly string[] {
  if (!Array.isArray(value)) throw badRequest('call_states must be a list.');
  const states = value as readonly unknown[];
  if (!states.every((state): state is string => typeof state === 'string' && CALL_STATES.has(state)))
    throw badRequest('call_states has an unknown state.');
  return states;
}
