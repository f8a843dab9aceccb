import { MICROS_PER_MS } from '#core/clock.ts';
import { InvalidMessage, Misconfigured } from '#core/errors.ts';
import { defineService, type CommandResult } from '#core/service.ts';
import { backfill, type Backfill } from './backfill.ts';
import { callList, type CallList } from './call-list.ts';
import { DECLARED, type DialpadContext } from './declared.ts';
import { poller } from './poll.ts';
import { receiver } from './receive.ts';
import { reconcile } from './reconcile.ts';
import type { Run } from './run.ts';
import { verifier } from './verify.ts';

/** RFC 7518 asks for a key as long as the hash. */
const SECRET_BYTES = 32;
const NO_PROGRESS = (): void => undefined;

export default defineService(DECLARED, async (context) => {
  checkSecrets(context);
  const list = callList(context);
  const all = backfill(context, list);
  const polling = poller(context, list);
  const sync = firstSync(all);
  return {
    handlers: {},
    routes: { calls: receiver(context, verifier(context.config['dialpad.webhookSecrets'])) },
    schedules: { poll: (signal) => polling.whenDue(signal) },
    singletons: { firstSync: sync.run },
    commands: {
      backfill: async (_args, progress, signal) => summary(await all.run(true, progress, signal)),
      reconcile: async ({ since }, progress, signal) =>
        summary(await reconcile(context, list, timeOf(since), progress, signal)),
    },
    busy: sync.busy,
    probe: () => listNothing(context, list),
  };
});

/** One request, answered with next to nothing: the calls that started from now on. */
async function listNothing({ clock, signal }: DialpadContext, list: CallList): Promise<void> {
  const startedAfterMs = Math.floor(clock.nowMicros() / MICROS_PER_MS);
  const query = { startedAfterMs, startedBeforeMs: null, cursor: null };
  for await (const _page of list.pages(query, 'prompt', signal)) return;
}

function checkSecrets({ config, telemetry }: DialpadContext): void {
  const secrets = config['dialpad.webhookSecrets'];
  const warn = (code: string): void =>
    telemetry.emit('configurationWarned', { service: DECLARED.name, code, field: 'dialpad.webhookSecrets' });
  if (secrets.length > 2)
    throw new Misconfigured('too_many_secrets', 'dialpad.webhookSecrets may hold two secrets: remove the oldest.');
  if (secrets.length === 0) warn('webhooks_unsigned');
  if (secrets.some((secret) => Buffer.byteLength(secret) < SECRET_BYTES)) warn('webhook_secret_short');
}

/** Lists all calls if that was not finished before, then holds its lease until it must stop. */
function firstSync(all: Backfill): {
  readonly run: (signal: AbortSignal) => Promise<void>;
  readonly busy: () => boolean;
} {
  let isBusy = true;
  return {
    async run(signal) {
      isBusy = true;
      await all.run(false, NO_PROGRESS, signal);
      isBusy = false;
      await new Promise<void>((resolve) => {
        if (signal.aborted) return resolve();
        signal.addEventListener('abort', () => resolve(), { once: true });
      });
    },
    busy: () => isBusy,
  };
}

function timeOf(since: string | undefined): number {
  const ms = Date.parse(since ?? '');
  if (Number.isNaN(ms))
    throw new InvalidMessage('not_a_time', 'The argument since must be a time such as 2026-01-05T09:00:00Z.');
  return ms * MICROS_PER_MS;
}

function summary(run: Run): CommandResult {
  return { runId: run.start.runId, kind: run.start.kind, ...run.counts };
}
