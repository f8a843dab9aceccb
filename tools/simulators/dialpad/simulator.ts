/** A Dialpad company on loopback: REST API, webhooks and calls that happen. Written from the vendor's API description. */
import { createServer, type Server } from 'node:http';
import express, { type RequestHandler } from 'express';
import { access, notFound, refusals } from './answers.ts';
import { Company } from './company.ts';
import { noFaults, seeded, type Faults } from './faults.ts';
import { Hooks } from './hooks.ts';
import { Player } from './player.ts';
import { callRoutes } from './rest-calls.ts';
import { setupRoutes } from './rest-setup.ts';
import { Sender, VENDOR_TIMING, type Delivery, type SenderTiming } from './sender.ts';

export interface DialpadOptions {
  readonly apiKeys: readonly string[];
  readonly host?: string;
  /** 0: any free one. */
  readonly port?: number;
  readonly seed?: number;
  readonly pageSize?: number;
  /** How long the minute of rate limits is. */
  readonly minuteMs?: number;
  readonly timing?: SenderTiming;
  /** What the vendor sends with a JWT is not documented. */
  readonly contentType?: string;
  /** Real milliseconds per millisecond of a live call. */
  readonly pace?: number;
  readonly now?: () => number;
}

/** One request that came in, whatever became of it. */
export interface Traffic {
  readonly method: string;
  readonly path: string;
  readonly status: number;
}

export interface Dialpad {
  readonly url: string;
  readonly company: Company;
  readonly hooks: Hooks;
  readonly player: Player;
  readonly pace: number;
  readonly faults: Faults;
  readonly traffic: readonly Traffic[];
  readonly deliveries: readonly Delivery[];
  /** Keys may be changed while it runs: an old one is refused from then on. */
  apiKeys: readonly string[];
  close(): Promise<void>;
}

const REMEMBERED = 100_000;

export async function startDialpad(options: DialpadOptions): Promise<Dialpad> {
  const { host = '127.0.0.1', port = 0, pageSize = 25, minuteMs = 60_000, pace = 1 } = options;
  const now = options.now ?? Date.now;
  const random = seeded(options.seed ?? 1);
  const [company, hooks, faults] = [new Company(), new Hooks(), noFaults()];
  const traffic: Traffic[] = [];
  const deliveries: Delivery[] = [];
  const sender = new Sender({
    timing: options.timing ?? VENDOR_TIMING,
    contentType: options.contentType ?? 'application/jwt',
    onDelivery: (delivery) => remember(deliveries, delivery),
  });
  const player = new Player({ company, hooks, sender, faults, random, pace });
  const state = { apiKeys: options.apiKeys };

  const app = express().disable('x-powered-by');
  app.use(recorder(traffic));
  app.use(access(() => state.apiKeys));
  app.use('/api/v2', callRoutes({ company, faults, now, minuteMs, pageSize }));
  app.use('/api/v2', setupRoutes({ company, hooks, random, now, minuteMs }));
  app.use(() => {
    throw notFound('There is no such endpoint.');
  });
  app.use(refusals);
  const server = createServer(app);
  const url = await listen(server, host, port);

  return {
    url,
    company,
    hooks,
    player,
    pace,
    faults,
    traffic,
    deliveries,
    get apiKeys() {
      return state.apiKeys;
    },
    set apiKeys(keys) {
      state.apiKeys = keys;
    },
    async close() {
      player.stop();
      sender.stop();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    },
  };
}

function recorder(traffic: Traffic[]): RequestHandler {
  return (request, response, next) => {
    const { method, path } = request;
    response.on('close', () => remember(traffic, { method, path, status: response.statusCode }));
    next();
  };
}

function remember<T>(list: T[], item: T): void {
  list.push(item);
  if (list.length > REMEMBERED) list.splice(0, REMEMBERED / 10);
}

async function listen(server: Server, host: string, port: number): Promise<string> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The simulator is not bound to a port.');
  return `http://${host.includes(':') ? `[${host}]` : host}:${address.port}`;
}
