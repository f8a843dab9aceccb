/** The simulated Dialpad over the seeded company, as whoever starts the vendors needs it. */
import type { World } from '../world/index.ts';
import { serveWorld } from './from-world.ts';
import { startDialpad, type Dialpad, type DialpadOptions } from './simulator.ts';

export interface DialpadVendor {
  /** What an operator of a real company would be told. */
  readonly baseUrl: string;
  readonly apiKey: string;
  readonly companyId: string;
  readonly webhookSecret: string;
  readonly simulator: Dialpad;
  /** A call is going on, or an event is not yet delivered or given up. */
  readonly isBusy: boolean;
  /** Registers a receiver, as an operator does over the REST API: one webhook, subscribed to all states. Again with the same URL changes nothing. */
  subscribe(url: string): void;
  close(): Promise<void>;
}

const API_KEY = 'simulated-dialpad-api-key';
const SECRET = 'simulated-dialpad-webhook-secret-0001';
const COMPANY_ID = '4508591728425653';
/** A call of twenty minutes takes about a second, so that a run to the end need not wait for people to hang up. */
const PACE = 0.001;

export async function openDialpad(world: World, options: Partial<DialpadOptions> = {}): Promise<DialpadVendor> {
  const simulator = await startDialpad({
    apiKeys: [API_KEY],
    seed: world.shape.seed,
    pace: PACE,
    now: world.now,
    ...options,
  });
  const leave = serveWorld(simulator, world);
  const { hooks, player } = simulator;
  return {
    baseUrl: simulator.url,
    apiKey: API_KEY,
    companyId: COMPANY_ID,
    webhookSecret: SECRET,
    simulator,
    get isBusy() {
      return player.isBusy;
    },
    subscribe(url) {
      if ([...hooks.webhooks.values()].some(({ hookUrl }) => hookUrl === url)) return;
      const { id } = hooks.createWebhook({ hook_url: url, secret: SECRET });
      hooks.createSubscription({ endpoint_id: id, call_states: ['all'] });
    },
    close() {
      leave();
      return simulator.close();
    },
  };
}
