/** The calm view of the running river: one screen on a terminal, a plain line now and then elsewhere. */
import { createLogUpdate } from 'log-update';
import type { MetricsSnapshot } from '#runtime/metrics.ts';
import type { Status } from '#runtime/operations.ts';

const NEXT = 'npx tributary query "SELECT match_outcome, count(*) AS calls FROM dialpad_calls GROUP BY 1"';

export function statusText(status: Status, hint: string = NEXT): string {
  const { metrics } = status;
  return [
    'sources     ' + pairs(metrics.events, 'events'),
    ...runLines(metrics),
    'tables      ' + pairs(status.tables, 'rows'),
    'matches     ' + pairs(status.matches, ''),
    'lag         ' + lagText(metrics),
    'dead        ' +
      (Object.keys(status.deadLetters).length === 0
        ? 'none'
        : `${pairs(status.deadLetters, '')} (npx tributary dead-letters list)`),
    'backlog     ' + backlogText(status),
    ...(metrics.paused.length === 0
      ? []
      : [`paused      ${metrics.paused.join(', ')}: a dependency is down, it is being probed`]),
    '',
    `next        ${hint}`,
  ].join('\n');
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
    entries.map(([name, count]) => `${name} ${count.toLocaleString('en')}`).join(' · ') +
    (unit === '' ? '' : ` ${unit}`)
  );
}

function runLines({ runs }: MetricsSnapshot): string[] {
  return runs
    .filter(({ state }) => state === 'running')
    .map(
      ({ kind, source, object, records, total }) =>
        `  ${kind.padEnd(10)}${source} ${object} ${bar(records, total)} ${records.toLocaleString('en')}${total === null ? '' : ` of ${total.toLocaleString('en')}`}`,
    );
}

function bar(done: number, total: number | null): string {
  const filled = total === null || total === 0 ? 0 : Math.min(20, Math.round((done / total) * 20));
  return '█'.repeat(filled) + '░'.repeat(20 - filled);
}

function lagText({ changeToRowMs }: MetricsSnapshot): string {
  const { p50, p99, samples } = changeToRowMs;
  return p50 === null || p99 === null
    ? 'no live change yet'
    : `change to row p50 ${Math.round(p50)} ms, p99 ${Math.round(p99)} ms over ${samples} changes`;
}

function backlogText({ backlog }: Status): string {
  if (backlog.length === 0) return 'empty';
  return backlog.map(({ subscription, messages }) => `${subscription} ${messages}`).join(' · ');
}

export interface LiveView {
  show(status: Status): void;
  done(): void;
}

/** Redraws on a terminal; elsewhere prints a line when something changed, at most every `everyMs`. */
export function liveView(stream: NodeJS.WriteStream, everyMs = 5_000): LiveView {
  if (stream.isTTY) {
    const draw = createLogUpdate(stream);
    return { show: (status) => draw(statusText(status)), done: () => draw.done() };
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
