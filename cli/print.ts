/** Text tables and progress bars for people; JSON lines for programs. */
import { Presets, SingleBar } from 'cli-progress';
import type { Progress } from '#core/service.ts';

export type Cells = Readonly<Record<string, unknown>>;

const WIDEST_CELL = 60;

export function tableText(rows: readonly Cells[]): string {
  const first = rows[0];
  if (first === undefined) return '(nothing)';
  const columns = Object.keys(first);
  const cells = rows.map((row) => columns.map((column) => cell(row[column])));
  const widths = columns.map((column, index) =>
    Math.max(column.length, ...cells.map((line) => line[index]?.length ?? 0)),
  );
  const line = (parts: readonly string[]): string =>
    parts
      .map((part, index) => part.padEnd(widths[index] ?? 0))
      .join('  ')
      .trimEnd();
  return [line(columns), line(widths.map((width) => '-'.repeat(width))), ...cells.map(line)].join('\n');
}

/** Names in a warehouse are attacker-controlled: no control character reaches the terminal. */
function cell(value: unknown): string {
  if (value === null || value === undefined) return '';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  // eslint-disable-next-line no-control-regex
  const safe = text.replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, ' ');
  return safe.length > WIDEST_CELL ? `${safe.slice(0, WIDEST_CELL - 1)}…` : safe;
}

/** A bar on a terminal, a line now and then elsewhere; `done` ends it. */
export function progressBar(): { readonly progress: Progress; done(): void } {
  return process.stderr.isTTY ? terminalBar() : plainLines();
}

function terminalBar(): { readonly progress: Progress; done(): void } {
  const bar = new SingleBar(
    { format: '{what} {bar} {value}/{total} {eta_formatted}', clearOnComplete: true, hideCursor: true },
    Presets.shades_classic,
  );
  let started = false;
  return {
    progress(done, total, what) {
      if (started) {
        bar.setTotal(total ?? Math.max(done, 1));
        bar.update(done, { what });
      } else bar.start(total ?? Math.max(done, 1), done, { what });
      started = true;
    },
    done: () => bar.stop(),
  };
}

function plainLines(): { readonly progress: Progress; done(): void } {
  let shownMs = 0;
  return {
    progress(done, total, what) {
      if (performance.now() - shownMs < 2_000) return;
      shownMs = performance.now();
      console.error(`${what}: ${done}${total === null ? '' : ` of ${total}`}`);
    },
    done: () => undefined,
  };
}
