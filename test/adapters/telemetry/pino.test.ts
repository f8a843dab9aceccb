import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { pinoTelemetry } from '#adapters/telemetry/pino.ts';
import { TelemetryHub } from '#core/telemetry.ts';

function logged(level: string): { readonly hub: TelemetryHub; readonly lines: string[] } {
  const lines: string[] = [];
  const hub = new TelemetryHub();
  hub.listen(pinoTelemetry({ level, stream: { write: (line) => void lines.push(line) } }));
  return { hub, lines };
}

describe('telemetry as log lines', () => {
  it('never writes a field that is not on the list, whatever an event carries', () => {
    const { hub, lines } = logged('debug');
    const fields = { service: 'resolver', email: 'ada@example.com', payload: { phone: '+12135550100' } };
    hub.emit('serviceStarted', fields);
    hub.emit('rowsWritten', { table: 't', lane: 'live', rows: 1, refused: 0, durationMs: 3, changeToRowMs: [1, 2] });
    expect(lines.join()).not.toMatch(/ada@|1213|changeToRow/);
    expect(lines).toHaveLength(2);
  });

  it('keeps a value with line breaks within its line', () => {
    const { hub, lines } = logged('info');
    const message = 'first\r\n{"level":"error","message":"forged"}\u2028';
    hub.emit('faultSeen', { service: 's', code: 'c', message });
    expect(lines).toHaveLength(1);
    expect(lines[0]?.trimEnd()).not.toMatch(/[\r\n]/);
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ message: 'Fault seen.', detail: message });
  });

  it('cuts a text of any length', () => {
    const { hub, lines } = logged('info');
    hub.emit('faultSeen', { service: 's', code: 'c', message: 'x'.repeat(1_000_000) });
    expect(lines[0]?.length).toBeLessThan(1_300);
  });

  it('writes level, sentence, event and fields, and nothing of the machine', () => {
    const { hub, lines } = logged('info');
    hub.emit('servicePaused', { service: 'bq-writer', dependency: 'warehouse', code: 'dependency_down' });
    const { time, ...rest } = JSON.parse(lines[0] ?? '') as Record<string, unknown>;
    expect(time).toMatch(/^\d{4}-.*Z$/);
    expect(rest).toEqual({
      level: 'warn',
      event: 'servicePaused',
      service: 'bq-writer',
      dependency: 'warehouse',
      code: 'dependency_down',
      message: 'Service paused: something it needs is down.',
    });
  });

  it('leaves out what is below its level', () => {
    const { hub, lines } = logged('warn');
    hub.emit('serviceStarted', { service: 's' });
    expect(lines).toEqual([]);
  });

  it('appends to a file of its owner alone', () => {
    const folder = mkdtempSync(join(tmpdir(), 'tributary-log-'));
    const path = join(folder, 'logs', 'tributary.log');
    for (const service of ['one', 'two']) pinoTelemetry({ level: 'info', path })('serviceStarted', { service });
    expect(readFileSync(path, 'utf8').trimEnd().split('\n')).toHaveLength(2);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    rmSync(folder, { recursive: true });
  });
});
