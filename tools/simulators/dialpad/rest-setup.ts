/** What an operator or administrator uses: webhooks, call event subscriptions, users. */
import { json, Router, type Request } from 'express';
import { badRequest, notFound, rate, textParameter } from './answers.ts';
import type { Company } from './company.ts';
import { subscriptionJson, webhookJson, type Hooks } from './hooks.ts';
import type { User } from './model.ts';

export interface SetupOptions {
  readonly company: Company;
  readonly hooks: Hooks;
  readonly random: () => number;
  readonly now: () => number;
  readonly minuteMs: number;
}

const USERS_PER_PAGE = 100;

export function setupRoutes(options: SetupOptions): Router {
  const router = Router();
  router.use(json({ type: () => true, strict: true, limit: '256kb' }));
  webhookRoutes(router, options);
  subscriptionRoutes(router, options);
  userRoutes(router, options);
  return router;
}

function webhookRoutes(router: Router, { hooks, now, minuteMs }: SetupOptions): void {
  router.post('/webhooks', rate(100, now, minuteMs), (request, response) => {
    response.json(webhookJson(hooks.createWebhook(bodyOf(request))));
  });
  router.get('/webhooks', (_request, response) => {
    response.json({ items: [...hooks.webhooks.values()].map(webhookJson) });
  });
  router
    .route('/webhooks/:id')
    .get((request, response) => void response.json(webhookJson(hooks.webhook(request.params.id))))
    .patch(
      (request, response) => void response.json(webhookJson(hooks.updateWebhook(request.params.id, bodyOf(request)))),
    )
    .delete((request, response) => {
      const webhook = hooks.webhook(request.params.id);
      hooks.webhooks.delete(webhook.id);
      response.json(webhookJson(webhook));
    });
}

function subscriptionRoutes(router: Router, { hooks }: SetupOptions): void {
  const shown = (id: string) => {
    const subscription = hooks.subscription(id);
    return subscriptionJson(subscription, hooks.webhooks.get(subscription.endpointId));
  };
  router.post('/subscriptions/call', (request, response) => {
    response.json(shown(hooks.createSubscription(bodyOf(request)).id));
  });
  router.get('/subscriptions/call', (request, response) => {
    const [targetType, targetId] = [textParameter(request, 'target_type'), textParameter(request, 'target_id')];
    const matching = [...hooks.subscriptions.values()].filter(
      (subscription) =>
        (targetType === null || subscription.targetType === targetType) &&
        (targetId === null || subscription.targetId === targetId),
    );
    response.json({ items: matching.map(({ id }) => shown(id)) });
  });
  router
    .route('/subscriptions/call/:id')
    .get((request, response) => void response.json(shown(request.params.id)))
    .patch((request, response) => {
      response.json(shown(hooks.updateSubscription(request.params.id, bodyOf(request)).id));
    })
    .delete((request, response) => {
      const last = shown(request.params.id);
      hooks.subscriptions.delete(request.params.id);
      response.json(last);
    });
}

function userRoutes(router: Router, { company, random, now, minuteMs }: SetupOptions): void {
  router.get('/users', rate(1_200, now, minuteMs), (request, response) => {
    // Soft-deprecated: of larger limits a fifth is refused.
    const limit = Number(textParameter(request, 'limit') ?? USERS_PER_PAGE);
    if (limit > USERS_PER_PAGE && random() < 0.2) throw badRequest('The limit parameter must be 100 or less.');
    const [state, email, number] = ['state', 'email', 'number'].map((name) => textParameter(request, name));
    const users = [...company.users.values()].filter(
      (user) =>
        (state === null ? user.state === 'active' : state === 'all' || user.state === state) &&
        (email === null || user.email === email) &&
        (number === null || user.phone === number),
    );
    const start = Number(textParameter(request, 'cursor') ?? 0);
    if (!Number.isSafeInteger(start) || start < 0) throw badRequest('Invalid cursor.');
    const size = Math.min(Math.max(1, limit || USERS_PER_PAGE), USERS_PER_PAGE);
    const cursor = start + size < users.length ? { cursor: String(start + size) } : {};
    response.json({ items: users.slice(start, start + size).map(userJson), ...cursor });
  });
  router.get('/users/:id', rate(1_200, now, minuteMs), (request, response) => {
    const user = company.users.get(String(request.params['id']));
    if (user === undefined) throw notFound('User not found.');
    response.json(userJson(user));
  });
}

function userJson({ id, firstName, lastName, email, phone, state, officeId, isAdmin }: User): Record<string, unknown> {
  return {
    id,
    display_name: `${firstName} ${lastName}`,
    first_name: firstName,
    last_name: lastName,
    emails: [email],
    phone_numbers: [phone],
    state,
    office_id: officeId,
    is_admin: isAdmin,
    group_details: [],
    timezone: 'US/Pacific',
  };
}

function bodyOf(request: Request): Readonly<Record<string, unknown>> {
  const body = request.body as unknown;
  if (typeof body !== 'object' || body === null || Array.isArray(body)) throw badRequest('A JSON object is expected.');
  return body as Readonly<Record<string, unknown>>;
}
