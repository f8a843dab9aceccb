/**
 * Each source that is configured: a token and one cheap read, through the service's own allow-list. The service is made with
 * ports that refuse everything but the way to its source, and none of its work is started.
 */
import { createVendor } from '#adapters/vendor/index.ts';
import type { Clock } from '#core/clock.ts';
import { Codec } from '#core/codec.ts';
import { parseConfig } from '#core/config.ts';
import { messageOf, Transient } from '#core/errors.ts';
import type { VendorPort, VendorResponse } from '#core/ports/vendor.ts';
import type { AnyService, Context, Declared, Ports } from '#core/service.ts';
import { TelemetryHub } from '#core/telemetry.ts';
import { worthRetrying } from '#core/vendor/status.ts';
import { noWarehouse } from '../cloud/no-warehouse.ts';
import { failed, failure, ok, skipped, type Check, type Finding } from './check.ts';
import type { SecretsSeen } from './secrets.ts';
import type { Skews } from './skew.ts';
import { configOf, isCloud, type Subject } from './subject.ts';

/** Longer than a secret may take. */
const WITHIN_MS = 60_000;
const SOURCE_DOWN = 'See docs/runbooks/source-down.md.';

export function sourceChecks(subject: Subject, secrets: SecretsSeen, skews: Skews): readonly Check[] {
  const sources = subject.settings.services.filter(({ service }) => service.declared.source !== null);
  if (sources.length === 0) return [noneCheck(subject)];
  return sources.map(({ service }) => ({
    name: `source ${service.declared.source ?? ''}`,
    withinMs: WITHIN_MS,
    otherwise: SOURCE_DOWN,
    run: (signal) => look(service, subject, secrets, skews, signal),
  }));
}

function noneCheck(subject: Subject): Check {
  const found = isCloud(subject)
    ? skipped(
        'The settings of no source are given here.',
        `Give a source's settings as Terraform gives them to its service, secrets as secret://<secret>.`,
      )
    : skipped('No source is configured: «npm start» simulates a company.', 'See docs/guides to connect one.');
  return { name: 'sources', otherwise: SOURCE_DOWN, run: async () => found };
}

async function look(
  service: AnyService,
  subject: Subject,
  secrets: SecretsSeen,
  skews: Skews,
  signal: AbortSignal,
): Promise<Finding> {
  const { config: spec, source } = service.declared;
  if (subject.isSimulated && !subject.isRunning)
    return skipped('It is simulated, and its simulator runs only while «npm start» does.');
  const values = await secrets.resolved();
  if (Object.keys(spec).some((name) => secrets.unread.has(name)))
    return skipped('It cannot be asked without its secret.', 'See the secret above.');
  const parsed = parseConfig(spec, values);
  if (!parsed.ok) return failed(parsed.faults.join('; '), 'Mend the setting or its secret.');
  const vendor = createVendor({ clock: subject.clock, caFile: configOf(subject)['vendor.caFile'] });
  const asked = impatient(vendor, subject.clock, skews.listening(source ?? ''));
  try {
    const living = await service.start(contextOf(service.declared, parsed.config, subject, asked, signal));
    if (living.probe === undefined) return skipped('It has no read that is cheap enough.');
    await living.probe();
    return ok('It answers, and takes our credentials.');
  } catch (error) {
    if (!(error instanceof Transient)) return failure(error, SOURCE_DOWN);
    return failed(messageOf(error), `Look at its address among the settings and at the network. ${SOURCE_DOWN}`);
  } finally {
    await vendor.close();
  }
}

interface Asked {
  readonly vendor: VendorPort;
  readonly clock: Clock;
}

/** What waits for another try ends with what went wrong: for who stands by, the first fault is the answer. */
function impatient(vendor: VendorPort, clock: Clock, heard: (response: VendorResponse) => void): Asked {
  let fault: Error | undefined;
  const request: VendorPort['request'] = async (asked) => {
    try {
      const response = await vendor.request(asked);
      heard(response);
      const { status } = response;
      if (worthRetrying(status)) fault = new Transient(`http_${status}`, `It answers ${status}.`);
      return response;
    } catch (error) {
      fault = error instanceof Error ? error : new Error(String(error));
      throw error;
    }
  };
  return {
    vendor: { request, call: (rpc, message) => vendor.call(rpc, message), stream: (rpc) => vendor.stream(rpc) },
    clock: { ...clock, sleep: (ms, signal) => (fault === undefined ? clock.sleep(ms, signal) : Promise.reject(fault)) },
  };
}

function contextOf(
  { name }: Declared,
  config: Readonly<Record<string, unknown>>,
  subject: Subject,
  { vendor, clock }: Asked,
  signal: AbortSignal,
): Context<Declared> {
  const refuse = (): never => {
    throw new Error(`A check of ${name} may only ask its source.`);
  };
  const ports: Ports = {
    vendor,
    warehouse: noWarehouse(),
    store: { get: refuse, put: refuse, delete: refuse, list: refuse },
    objects: { get: refuse, put: refuse, delete: refuse, list: refuse },
  };
  return {
    ports,
    config: config as Context<Declared>['config'],
    codec: new Codec(),
    clock,
    random: subject.random,
    telemetry: new TelemetryHub(),
    installation: configOf(subject).installation,
    leaseEpoch: 0,
    signal,
    publish: refuse,
    record: refuse,
    exclusively: refuse,
  };
}
