/**
 * Another thread or process on the broker's file: does what it is told (`publish`, `fill`, `seek`, `consume`) and answers.
 * Started as a worker thread or by `fork`, with the file's path as `workerData` or first argument.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { systemClock, systemRandom } from '#adapters/clock/system.ts';
import { openEmbeddedBroker } from '#adapters/broker/embedded/broker.ts';
import { ack } from '#core/disposition.ts';
import { codeOf } from '#core/errors.ts';
import { messages, spec } from './kit.ts';

export type Order =
  | { readonly do: 'publish'; readonly topic: string; readonly prefix: string; readonly count: number }
  /** Publishes until it is refused, and answers how many were taken, and the refusal's code. */
  | { readonly do: 'fill'; readonly topic: string }
  | { readonly do: 'seek'; readonly subscription: string; readonly timeMs: number }
  /** Hands everything from `work` on to `next`. */
  | { readonly do: 'relay' };

export interface Answer {
  readonly taken: number;
  readonly refusal?: string;
}

async function serve(
  path: string,
  answer: (answer: Answer) => void,
  listen: (take: (order: Order) => void) => void,
): Promise<void> {
  const broker = await openEmbeddedBroker({ path, clock: systemClock, random: systemRandom });

  async function obey(order: Order): Promise<Answer> {
    switch (order.do) {
      case 'publish':
        await broker.publish(order.topic, messages(order.count, order.prefix), 'kill');
        return { taken: order.count };
      case 'seek':
        await broker.seek(order.subscription, new Date(order.timeMs));
        return { taken: 0 };
      case 'relay':
        broker.consume(spec(), async (batch) => {
          await broker.publish('next', batch, 'kill');
          return batch.map(() => ack);
        });
        return { taken: 0 };
      case 'fill':
        return fill(order.topic);
    }
  }

  async function fill(topic: string): Promise<Answer> {
    for (let taken = 0; ; taken++) {
      const body = Buffer.from(`${taken} `.padEnd(40_000, String(systemRandom.unit())));
      try {
        await broker.publish(topic, [{ body, attributes: { lane: 'live' } }], 'power');
      } catch (error) {
        return { taken, refusal: codeOf(error) };
      }
    }
  }

  listen((order) => void obey(order).then(answer));
}

if (parentPort) {
  const port = parentPort;
  await serve(
    workerData as string,
    (answer) => port.postMessage(answer),
    (take) => port.on('message', take),
  );
} else if (process.send && process.argv[2]) {
  await serve(
    process.argv[2],
    (answer) => process.send?.(answer),
    (take) => process.on('message', take),
  );
}
