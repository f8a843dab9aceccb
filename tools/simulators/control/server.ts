/** The control door, on a port of its own: what no vendor has and every test wants. Plain HTTP on loopback, JSON. */
import express, { type ErrorRequestHandler, type Express } from 'express';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  OBJECT_NAMES,
  isObjectName,
  startChanges,
  type Change,
  type Changes,
  type Mix,
  type World,
} from '../world/index.ts';
import { BadInput, bodyOf, flag, number, text } from './input.ts';
import { sendCalls, sendTruth } from './truth.ts';
import { objectOf } from './salesforce.ts';

/** A vendor's own part of the control door. */
export interface Controlled {
  readonly name: string;
  mount(app: Express): void;
  state(): Readonly<Record<string, unknown>>;
  /** It still has something to tell of what happened: a call goes on, a webhook waits for its retry. */
  isBusy(): boolean;
}

export interface Control {
  readonly url: string;
  close(): Promise<void>;
}

export async function startControl(world: World, vendors: readonly Controlled[], port = 0): Promise<Control> {
  const app = express();
  app.use(express.json({ type: () => true, limit: '50mb' }));
  const life = mountLife(app, world, vendors);
  mountWorld(app, world);
  for (const vendor of vendors) vendor.mount(app);
  app.get('/__control/state', (_req, res) => {
    const tables = Object.fromEntries(OBJECT_NAMES.map((name) => [name, world.tables[name].size]));
    const own = vendors.map((vendor) => [vendor.name, vendor.state()] as const);
    res.json({
      tables,
      calls: world.calls.count,
      commitNumber: world.latest(),
      changes: life.progress(),
      ...Object.fromEntries(own),
    });
  });
  app.use(refuse);
  const server = createServer(app);
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      life.stop();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function mountLife(app: Express, world: World, vendors: readonly Controlled[]) {
  let changes: Changes | undefined;
  let total = 0;
  const progress = () => ({
    done: changes?.made() ?? 0,
    total,
    running: (changes !== undefined && !changes.isDone()) || vendors.some((vendor) => vendor.isBusy()),
    byKind: changes?.byKind() ?? {},
  });
  app.get('/__control/changes', (_req, res) => void res.json(progress()));
  app.post('/__control/changes', (req, res) => {
    const body = bodyOf(req.body, ['perSecond', 'count', 'mix', 'seed']);
    changes?.stop();
    total = number(body, 'count', Number.MAX_SAFE_INTEGER);
    const options = { perSecond: number(body, 'perSecond', 10), count: total, mix: (body.mix ?? {}) as Partial<Mix> };
    changes = total === 0 ? undefined : startChanges(world, body.seed === undefined ? options : { ...options, seed: number(body, 'seed', 0) }); // prettier-ignore
    res.json(progress());
  });
  return { progress, stop: () => changes?.stop() };
}

function mountWorld(app: Express, world: World): void {
  app.get('/__control/truth/:object', (req, res, next) => {
    const { object } = req.params;
    const names = typeof req.query.fields === 'string' ? req.query.fields.split(',') : null;
    if (object === 'calls') sendCalls(world, res).catch(next);
    else if (isObjectName(object)) sendTruth(world, object, names, res).catch(next);
    else throw new BadInput(`There is no object ${object}.`);
  });
  app.post('/__control/mutate', (req, res) => {
    const body = bodyOf(req.body, ['changes', 'userId', 'origin', 'rewriteAll']);
    if (body.rewriteAll !== undefined) return void res.json(world.rewriteAll(objectOf({ object: body.rewriteAll })));
    if (!Array.isArray(body.changes)) throw new BadInput('changes must be a list of {kind, object, id, values}.');
    const { userId, origin } = body;
    const by = { ...(typeof userId === 'string' ? { userId } : {}), ...(typeof origin === 'string' ? { origin } : {}) };
    res.json(attempt(() => world.commit({ changes: body.changes as Change[], ...by })));
  });
  app.post('/__control/world', (req, res) => {
    const body = bodyOf(req.body, ['readLagMs', 'commitDelayMs', 'undeleteKeepsModstamp']);
    world.readLagMs = number(body, 'readLagMs', world.readLagMs);
    world.commitDelayMs = Math.min(2_000, number(body, 'commitDelayMs', world.commitDelayMs));
    world.undeleteKeepsModstamp = flag(body, 'undeleteKeepsModstamp') ?? world.undeleteKeepsModstamp;
    res.json({ readLagMs: world.readLagMs, commitDelayMs: world.commitDelayMs });
  });
  app.post('/__control/fields', (req, res) => {
    const body = bodyOf(req.body, ['object', 'definition']);
    attempt(() => world.addField(objectOf(body), text(body, 'definition')));
    res.json({});
  });
}

/** What the company refuses is the asker's mistake. */
function attempt<T>(act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw new BadInput(error instanceof Error ? error.message : String(error));
  }
}

const refuse: ErrorRequestHandler = (error: unknown, _req, res, next) => {
  if (res.headersSent) return next(error);
  res
    .status(error instanceof BadInput ? 400 : 500)
    .json({ error: error instanceof Error ? error.message : String(error) });
};
