import type { Clock, Random } from '#core/clock.ts';
import type { Codec } from '#core/codec.ts';
import type { Fact, OpsEntity } from '#core/facts.ts';
import type { BrokerPort } from '#core/ports/broker.ts';
import type { StorePort } from '#core/ports/store.ts';
import type { Ports } from '#core/service.ts';
import type { Telemetry } from '#core/telemetry.ts';
import type { Parking } from './park.ts';
import type { Publisher } from './publisher.ts';

/** What a runtime gives every host. */
export interface HostPorts {
  readonly broker: BrokerPort;
  readonly publisher: Publisher;
  readonly parking: Parking;
  readonly leaseStore: StorePort;
  readonly ports: Ports;
  readonly codec: Codec;
  readonly clock: Clock;
  readonly random: Random;
  readonly telemetry: Telemetry;
  readonly installation: string;
  /** This process, in leases. */
  readonly owner: string;
  readonly factPublisher: <E extends OpsEntity>(fact: Fact<E>) => Promise<void>;
}
