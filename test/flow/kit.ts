/** The whole river in one process on a fresh folder, against simulated vendors in the same process. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BrokerPort } from '#core/ports/broker.ts';
import type { WarehousePort } from '#core/ports/warehouse.ts';
import type { AnyService } from '#core/service.ts';
import { TelemetryHub, type TelemetryName } from '#core/telemetry.ts';
import { discoverServices } from '#runtime/discover.ts';
import { startEmbedded, type EmbeddedRuntime } from '#runtime/embedded.ts';
import { parseSettings, type Values } from '#runtime/settings.ts';
import { google, googleValues } from '#test/kit/google.ts';

export interface River {
  readonly runtime: EmbeddedRuntime;
  readonly telemetry: TelemetryHub;
  /** Everything that was emitted, by name. */
  readonly seen: { readonly name: TelemetryName; readonly fields: Readonly<Record<string, unknown>> }[];
  rows(sql: string): Promise<Readonly<Record<string, unknown>>[]>;
  untilIdle(): Promise<void>;
  stop(): Promise<void>;
}

export interface RiverOptions {
  readonly folder: string;
  readonly values: Values;
  readonly wrapBroker?: (broker: BrokerPort) => BrokerPort;
  readonly wrapWarehouse?: (warehouse: WarehousePort) => WarehousePort;
  /** Stands in for the service of that name. */
  readonly instead?: AnyService;
}

/** A folder that is removed by the returned function. */
export function freshFolder(): { readonly folder: string; readonly remove: () => void } {
  const folder = mkdtempSync(join(tmpdir(), 'tributary-flow-'));
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

export async function startRiver({ folder, values, instead, wrapBroker, wrapWarehouse }: RiverOptions): Promise<River> {
  const telemetry = new TelemetryHub();
  const seen: River['seen'] = [];
  telemetry.listen((name, fields) => void seen.push({ name, fields: fields as Readonly<Record<string, unknown>> }));
  const services = (await discoverServices()).map((service) =>
    service.declared.name === instead?.declared.name ? instead : service,
  );
  const places = await googleValues(folder);
  const settings = parseSettings(services, { 'state.folder': folder, 'web.port': '0', ...places, ...values });
  const runtime = await startEmbedded({
    settings,
    telemetry,
    flowing: true,
    ...(wrapBroker === undefined ? {} : { wrapBroker }),
    ...(wrapWarehouse === undefined ? {} : { wrapWarehouse }),
  });
  return {
    runtime,
    telemetry,
    seen,
    async rows(sql) {
      const rows: Readonly<Record<string, unknown>>[] = [];
      for await (const chunk of runtime.warehouse.query(sql, { rows: 1_000_000, timeoutMs: 30_000 }))
        rows.push(...chunk);
      return rows;
    },
    untilIdle: () => untilIdle(runtime, seen),
    stop: () => runtime.stop(),
  };
}

const QUIET_LOOKS = 8;
const LOOK_EVERY_MS = 50;
const idleWithinMs = (): number => (google() === undefined ? 45_000 : 90_000);
/** What is also emitted while nothing flows: a quiet stream is kept alive, and polls find nothing. */
const TICKING: ReadonlySet<TelemetryName> = new Set(['checkpointMoved', 'vendorCalled']);

/** Idle, and nothing happened, at several looks in a row. Fails with what still waits and what happened last. */
async function untilIdle(runtime: EmbeddedRuntime, seen: River['seen']): Promise<void> {
  const deadline = performance.now() + idleWithinMs();
  let [at, happened, quiet] = [0, 0, 0];
  while (quiet < QUIET_LOOKS) {
    const before = happened;
    if (performance.now() > deadline) throw notIdle(runtime, seen);
    await sleep(LOOK_EVERY_MS);
    for (; at < seen.length; at += 1) if (!TICKING.has((seen[at] as River['seen'][number]).name)) happened += 1;
    quiet = runtime.isIdle() && happened === before ? quiet + 1 : 0;
  }
}

function notIdle({ broker, hosts }: EmbeddedRuntime, seen: River['seen']): Error {
  const backlog = broker.backlog()?.filter(({ unackedMessages }) => unackedMessages > 0);
  const busy = hosts.filter((host) => host.busy || host.paused).map(({ declared }) => declared.name);
  return new Error(`The river is not idle: ${JSON.stringify({ backlog, busy, last: seen.slice(-10) }, null, 1)}`);
}
