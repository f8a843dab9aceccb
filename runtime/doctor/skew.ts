/**
 * How far this machine's clock is from others'. Versions carry when we asked, leases and tokens end by our clock, and
 * vendors refuse tokens that were signed minutes away.
 */
import { MICROS_PER_MS, type Clock } from '#core/clock.ts';
import type { VendorResponse } from '#core/ports/vendor.ts';
import { failed, ok, skipped, warning, type Check, type Finding } from './check.ts';
import { configOf, type Subject } from './subject.ts';

interface Skew {
  readonly server: string;
  /** Ours less theirs. */
  readonly aheadMs: number;
}

export interface Skews {
  /** Notes what answers of this server say of the time. */
  listening(server: string): (response: Pick<VendorResponse, 'headers' | 'issuedMicros'>) => void;
  readonly seen: readonly Skew[];
}

/** Headers have whole seconds, and an answer is on its way for some time. */
const FUZZ_MS = 1_000;
const NOTABLE_MS = 2_000;
const WRONG_MS = 60_000;
const GOOGLE = 'https://storage.googleapis.com/';

export function skewsBy(clock: Clock): Skews {
  const seen: Skew[] = [];
  return {
    seen,
    listening:
      (server) =>
      ({ headers, issuedMicros }) => {
        const theirMs = Date.parse(headers['date'] ?? '');
        if (Number.isNaN(theirMs)) return;
        const aheadMs = aheadBy(theirMs, issuedMicros / MICROS_PER_MS, clock.nowMicros() / MICROS_PER_MS);
        seen.push({ server, aheadMs });
      },
  };
}

/** 0 where the server's time can have been between our asking and our hearing. */
export function aheadBy(theirMs: number, askedMs: number, heardMs: number): number {
  if (askedMs > theirMs + FUZZ_MS) return Math.round(askedMs - theirMs - FUZZ_MS);
  return heardMs < theirMs ? Math.round(heardMs - theirMs) : 0;
}

/** To be run when the sources have been asked: their answers count too. */
export function skewCheck(subject: Subject, skews: Skews): Check {
  const todo = 'Let the machine keep its time by NTP: systemd-timesyncd or chrony.';
  return {
    name: 'clock',
    otherwise: todo,
    async run(signal) {
      await askGoogle(subject, skews, signal);
      return finding(skews.seen, todo);
    },
  };
}

function finding(seen: readonly Skew[], todo: string): Finding {
  const worst = [...seen].sort((one, other) => Math.abs(other.aheadMs) - Math.abs(one.aheadMs))[0];
  if (worst === undefined) return skipped('No server has said what time it is.');
  const awayMs = Math.abs(worst.aheadMs);
  if (awayMs < NOTABLE_MS) return ok(`It agrees with ${[...new Set(seen.map(({ server }) => server))].join(', ')}.`);
  const text = `It is ${Math.round(awayMs / 1_000)} s ${worst.aheadMs > 0 ? 'ahead of' : 'behind'} ${worst.server}.`;
  return awayMs < WRONG_MS ? warning(text, todo) : failed(text, todo);
}

async function askGoogle(subject: Subject, skews: Skews, signal: AbortSignal): Promise<void> {
  const url = serverOf(subject);
  if (url === undefined) return;
  const issuedMicros = subject.clock.nowMicros();
  try {
    const { headers } = await fetch(url, { method: 'HEAD', signal });
    skews.listening(new URL(url).host)({ headers: Object.fromEntries(headers), issuedMicros });
  } catch {
    // That it cannot be reached is what the other checks say.
  }
}

/** Google's own where one of its services is used, else a stand-in. */
function serverOf(subject: Subject): string | undefined {
  const { broker, warehouse, storage, ...config } = configOf(subject);
  const places = [
    ['gcs', storage === 'gcs', config['gcs.endpoint']],
    ['bigquery', warehouse === 'bigquery', config['bigquery.restUrl']],
    ['pubsub', broker === 'pubsub', config['pubsub.emulator'] === null ? null : undefined],
  ] as const;
  const addresses = places.flatMap(([name, isUsed, address]) =>
    isUsed && !subject.standIns.has(name) && address !== undefined ? [address] : [],
  );
  return addresses.includes(null) ? GOOGLE : (addresses[0] ?? undefined);
}
