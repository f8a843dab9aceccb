import { describe, expect, it } from 'vitest';
import { openLog, type Log } from '#adapters/telemetry/pino.ts';

interface Logged {
  readonly log: Log;
  readonly lines: () => Record<string, unknown>[];
}

function logged(trace?: () => string | undefined, secrets: readonly string[] = []): Logged {
  const texts: string[] = [];
  const log = openLog({
    level: 'debug',
    secrets,
    stream: { write: (line) => void texts.push(line) },
    cloud: {
      service: 'resolver',
      version: 'resolver-00007',
      project: 'acme',
      ...(trace === undefined ? {} : { trace }),
    },
  });
  return { log, lines: () => texts.map((text) => JSON.parse(text) as Record<string, unknown>) };
}

describe('lines for Cloud Logging', () => {
  it.each([
    ['debug', 'DEBUG'],
    ['info', 'INFO'],
    ['warn', 'WARNING'],
    ['error', 'ERROR'],
  ] as const)('%s has the severity %s', (level, severity) => {
    const { log, lines } = logged();
    log.say(level, 'Something.');
    expect(lines()).toMatchObject([{ severity, message: 'Something.' }]);
  });

  it('an event is one object with severity, time, message, service and its own fields', () => {
    const { log, lines } = logged();
    log.listener('servicePaused', { service: 'resolver', dependency: 'broker', code: 'dependency_down' });
    const [{ time, ...rest } = {}] = lines();
    expect(time).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    expect(rest).toEqual({
      severity: 'WARNING',
      serviceContext: { service: 'resolver', version: 'resolver-00007' },
      event: 'servicePaused',
      service: 'resolver',
      dependency: 'broker',
      code: 'dependency_down',
      message: 'Service paused: something it needs is down.',
    });
  });

  it('an error is also one of Error Reporting, and what is none is not', () => {
    const { log, lines } = logged();
    log.listener('faultSeen', { service: 'resolver', code: 'unexpected', message: 'Oh.' });
    log.say('warn', 'Well.');
    expect(lines().map((line) => line['@type'] !== undefined)).toEqual([true, false]);
  });

  it('names the trace of what is being done, where it is known', () => {
    let trace: string | undefined = '0af7651916cd43dd8448eb211c80319c';
    const { log, lines } = logged(() => trace);
    log.say('info', 'Within.');
    trace = undefined;
    log.say('info', 'Without.');
    expect(lines().map((line) => line['logging.googleapis.com/trace'])).toEqual([
      'projects/acme/traces/0af7651916cd43dd8448eb211c80319c',
      undefined,
    ]);
  });

  it('never has a secret, wherever a library quotes it', () => {
    const { log, lines } = logged(undefined, ['hunter22', '']);
    log.listener('faultSeen', { service: 's', code: 'c', message: 'refused: client_secret=hunter22&x=1' });
    log.say('error', 'with hunter22', { what: 'and hunter22' });
    expect(JSON.stringify(lines())).not.toContain('hunter22');
    expect(lines()[0]?.['detail']).toBe('refused: client_secret=[secret]&x=1');
  });

  it('keeps a stack within its line', () => {
    const { log, lines } = logged();
    log.say('error', 'Error: one\n    at two (file:1:1)\n    at three');
    expect(lines()).toHaveLength(1);
    expect(lines()[0]?.['message']).toContain('\n    at two');
  });
});
