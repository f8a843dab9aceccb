/** Consumes what a service declares, each subscription through its handler, and what the broker gives up of it. */
import { codeOf, messageOf, Misconfigured, type DependencyDown } from '#core/errors.ts';
import type { BatchHandler, Consumer, SubscriptionSpec } from '#core/ports/broker.ts';
import type { Declared, Living } from '#core/service.ts';
import { givenUpHandler } from './given-up.ts';
import type { HostPorts } from './host-ports.ts';
import { LastingConsumer } from './lasting.ts';
import { withOutcomes } from './outcome.ts';
import { givenUpOf, subscriptionsOf } from './topology.ts';

export interface ConsumersOptions {
  readonly declared: Declared;
  readonly living: Living<Declared>;
  readonly ports: HostPorts;
  readonly onDependencyDown: (error: DependencyDown) => void;
}

/** Throws `Misconfigured` where the service does not answer for a subscription it declares. */
export function consumeAll(options: ConsumersOptions): Consumer[] {
  const { declared, living, ports } = options;
  const work = subscriptionsOf(declared).map((spec) => {
    const name = spec.name.slice(declared.name.length + 1, -(spec.lane.length + 1));
    const handler = living.handlers[name];
    if (handler === undefined) throw new Misconfigured('no_handler', `${declared.name} does not answer for «${name}».`);
    return [spec, handler] as const;
  });
  const givenUp = [givenUpOf(declared), givenUpHandler({ ...ports, declared })] as const;
  return [...work, givenUp].map(([spec, handler]) => consume(spec, handler, options));
}

function consume(
  spec: SubscriptionSpec,
  handler: BatchHandler,
  { ports, onDependencyDown }: ConsumersOptions,
): Consumer {
  const whole = withOutcomes(handler, { ...ports, spec, onDependencyDown });
  return new LastingConsumer(() => ports.broker.consume(spec, whole), {
    clock: ports.clock,
    onLost: (error) =>
      ports.telemetry.emit('faultSeen', { service: spec.service, code: codeOf(error), message: messageOf(error) }),
  });
}
