/** The calm view of the running river: one screen on a terminal, a plain line now and then elsewhere. */
import { createLogUpdate } from 'log-update';
import type { MetricsSnapshot } from '#runtime/metrics.ts';
import type { Status } from '#runtime/operations.ts';

const NEXT = 'npx tributary query "SELECT match_outcome, count(*) AS calls FROM dialpad_calls GROUP BY 1"';
const NEXT_PARKED = 'npx tributary dead-letters list';
const BETWEEN = ' · ';
const LABEL_WIDTH = 12;
const USUAL_WIDTH = 100;
const BAR_WIDTH = 20;
const WIDEST_OBJECT = 'salesforce Opportunity'.length;

/** `width` columns; longer lines go on under their label, so that no name is cut in two. */
export function statusText(status: Status, width = USUAL_WIDTH): string {
  const { metrics } = status;
  const isParked = Object.keys(status.deadLetters).length > 0;
  const line = (label: string, text: string): string => labelled(label, text, width);
  return [
    ...(isRunning(status)
      ? [line('sources', pairs(metrics.events, 'events'))]
      : [line('pipeline', 'not running: npm start goes on where it stopped')]),
    ...runLines(metrics),
    line('tables', pairs(status.tables, 'rows')),
    line('matches', pairs(status.matches, '')),
    ...(isRunning(status) ? [line('lag', lagText(metrics))] : []),
    line('dead', isParked ? pairs(status.deadLetters, '') : 'none'),
    line('backlog', backlogText(status)),
    ...(metrics.paused.length === 0
      ? []
      : [line('paused', `${metrics.paused.join(', ')}: a dependency is down, it is being probed`)]),
    '',
    `${'next'.padEnd(LABEL_WIDTH)}${isParked ? NEXT_PARKED : NEXT}`,
  ].join('\n');
}

/** Where none runs, a command opens the files without starting a stage. */
function isRunning({ services }: Status): boolean {
  return services.some(({ state }) => state !== 'waiting');
}

function labelled(label: string, text: string, width: number): string {
  const lines = [''];
  for (const part of text.split(BETWEEN)) {
    const last = lines.at(-1) ?? '';
    const longer = last === '' ? part : `${last}${BETWEEN}${part}`;
    if (last !== '' && longer.length > width - LABEL_WIDTH) lines.push(part);
    else lines[lines.length - 1] = longer;
  }
  return lines.map((line, index) => `${(index === 0 ? label : '').padEnd(LABEL_WIDTH)}${line}`).join('\n');
}

/** One line, for logs and pipes. */
export function statusLine(status: Status): string {
  const { metrics } = status;
  const rows = Object.values(status.tables).reduce((sum, count) => sum + count, 0);
  const dead = Object.values(status.deadLetters).reduce((sum, count) => sum + count, 0);
  return `events ${pairs(metrics.events, '')}; rows ${rows}; matches ${pairs(status.matches, '')}; dead letters ${dead}; lag ${lagText(metrics)}; backlog ${backlogText(status)}`;
}

function pairs(counts: Readonly<Record<string, number>>, unit: string): string {
  const entries = Object.entries(counts).filter(([, count]) => count > 0);
  if (entries.length === 0) return 'none yet';
  return (
    entries.map(([name, count]) => `${name} ${count.toLocaleString('en')}`).join(BETWEEN) +
    (unit === '' ? '' : ` ${unit}`)
  );
}

function runLines({ runs }: MetricsSnapshot): string[] {
  return runs
    .filter(({ state }) => state === 'running')
    .map(
      ({ kind, source, object, records, total }) =>
        `  ${kind.padEnd(LABEL_WIDTH - 2)}${`${source} ${object}`.padEnd(WIDEST_OBJECT)} ${progressText(records, total)}`,
    );
}

function progressText(done: number, total: number | null): string {
  if (total === null) return `${done.toLocaleString('en')} so far`;
  const filled = total === 0 ? BAR_WIDTH : Math.min(BAR_WIDTH, Math.round((done / total) * BAR_WIDTH));
  const bar = '█'.repeat(filled) + '░'.repeat(BAR_WIDTH - filled);
  return `${bar} ${done.toLocaleString('en')} of ${total.toLocaleString('en')}`;
}

function lagText({ changeToRowMs }: MetricsSnapshot): string {
  const { p50, p99, samples } = changeToRowMs;
  return p50 === null || p99 === null
    ? 'no live change yet'
    : `change to row p50 ${Math.round(p50)} ms, p99 ${Math.round(p99)} ms over ${samples} changes`;
}

/** By service: `status --json` has each subscription. */
function backlogText({ backlog }: Status): string {
  if (backlog === null) return 'not told by this broker';
  const sums = new Map<string, number>();
  for (const { subscription, messages } of backlog) {
    const service = subscription.split('.')[0] ?? subscription;
    sums.set(service, (sums.get(service) ?? 0) + messages);
  }
  return sums.size === 0 ? 'empty' : pairs(Object.fromEntries([...sums].sort()), 'messages');
}

export interface LiveView {
  show(status: Status): void;
  done(): void;
}

/** Redraws on a terminal; elsewhere prints a line when something changed, at most every `everyMs`. */
export function liveView(stream: NodeJS.WriteStream, everyMs = 5_000): LiveView {
  if (stream.isTTY) {
    const draw = createLogUpdate(stream);
    return { show: (status) => draw(statusText(status, stream.columns)), done: () => draw.done() };
  }
  let [shownMs, shown] = [-everyMs, ''];
  return {
    show(status) {
      const line = statusLine(status);
      if (line === shown || performance.now() - shownMs < everyMs) return;
      [shownMs, shown] = [performance.now(), line];
      stream.write(`${line}\n`);
    },
    done: () => undefined,
  };
}
