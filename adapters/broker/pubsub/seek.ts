/**
 * Seeking to a time. The client's own `subscription.seek(date)` (6.3.0) sends milliseconds as microseconds in `nanos`, so
 * that it seeks to the start of the second: messages of up to a second that were to be acked come again. This sends the
 * same request with the right number.
 */
import type { Subscription } from '@google-cloud/pubsub';

const NANOS_PER_MS = 1_000_000;

export function seekTo(subscription: Subscription, time: Date): Promise<void> {
  const ms = time.getTime();
  const seconds = Math.floor(ms / 1_000);
  const nanos = (ms - seconds * 1_000) * NANOS_PER_MS;
  const reqOpts = { subscription: subscription.name, time: { seconds, nanos } };
  return new Promise((resolve, reject) => {
    subscription.request({ client: 'SubscriberClient', method: 'seek', reqOpts }, (error) => {
      if (error) reject(error);
      else resolve();
    });
  });
}
