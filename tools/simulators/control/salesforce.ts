/** What the simulated org can be told to do wrong, and what it has seen. */
import type { Express } from 'express';
import { isObjectName, type ObjectName } from '../world/index.ts';
import type { Damage, GapKind } from '../salesforce/events/change-log.ts';
import { HTTP_FAULTS } from '../salesforce/faults.ts';
import type { Salesforce } from '../salesforce/start.ts';
import { BadInput, bodyOf, flag, number, oneOf, text, type Body } from './input.ts';

export function controlSalesforce(app: Express, salesforce: Salesforce): void {
  const { org, jobs, events } = salesforce;
  app.post('/__control/faults', (req, res) => {
    const body = bodyOf(req.body, ['kind', 'path', 'skip', 'times', 'bytes', 'ms']);
    org.faults.add({
      kind: oneOf(body, 'kind', HTTP_FAULTS),
      pattern: new RegExp(text(body, 'path', '')),
      skip: number(body, 'skip', 0),
      times: number(body, 'times', 1),
      bytes: number(body, 'bytes', 0),
      ms: number(body, 'ms', 1_000),
    });
    res.json({ pending: org.faults.pending });
  });
  app.delete('/__control/faults', (_req, res) => {
    org.faults.clear();
    res.json({});
  });
  app.post('/__control/salesforce', (req, res) => {
    act(salesforce, bodyOf(req.body, ACTIONS));
    res.json(salesforceState(salesforce));
  });
  app.post('/__control/events', (req, res) => {
    inject(salesforce, bodyOf(req.body, ['kind', 'object', 'recordIds']));
    res.json({});
  });
  app.get('/__control/traffic', (_req, res) => {
    const { counts, mutating, last } = org.traffic;
    res.json({
      counts,
      mutating,
      last: last.slice(-1_000),
      rpcs: Object.fromEntries(events.calls),
      jobs: jobs.all.length,
    });
  });
  app.delete('/__control/traffic', (_req, res) => {
    org.traffic.clear();
    res.json({});
  });
}

const ACTIONS = [
  'expireSessions',
  'expireReplayIds',
  'dropStreams',
  'eventsOn',
  'gapsInstead',
  'failJobs',
  'purgeDeletions',
  'dailyRequests',
  'eventAllowance',
] as const;

function act({ org, jobs, events }: Salesforce, body: Body): void {
  if (flag(body, 'expireSessions') === true) org.sessions.expireAll();
  if (flag(body, 'expireReplayIds') === true) events.log.expire();
  if (flag(body, 'dropStreams') === true) events.dropStreams();
  events.log.isOn = flag(body, 'eventsOn') ?? events.log.isOn;
  events.log.gapsInstead = flag(body, 'gapsInstead') ?? events.log.gapsInstead;
  jobs.failNext = number(body, 'failJobs', jobs.failNext);
  if (flag(body, 'purgeDeletions') === true) org.deletionsSinceMs = org.world.now();
  org.usage.dailyRequests = number(body, 'dailyRequests', org.usage.dailyRequests);
  events.allowance = number(body, 'eventAllowance', events.allowance);
}

const EVENT_KINDS = ['overflow', 'wildcard', 'gap', 'unknownSchema', 'undecodable'] as const;
const DAMAGES: Readonly<Record<string, Damage>> = { unknownSchema: 'unknown_schema', undecodable: 'undecodable' };
/** Events that tell of a change without telling it. The last two damage the next event of the company's life. */
function inject({ events, org }: Salesforce, body: Body): void {
  const kind = oneOf(body, 'kind', EVENT_KINDS);
  const damage = DAMAGES[kind];
  if (damage !== undefined) return events.log.damageNext(damage);
  const object: ObjectName = objectOf(body);
  const { recordIds } = body;
  const ids = Array.isArray(recordIds) ? recordIds.map(String) : [];
  const gap: GapKind = kind === 'overflow' ? 'GAP_OVERFLOW' : 'GAP_UPDATE';
  const prefix = org.world.tables[object].cursor();
  prefix.row.set(0);
  events.log.gap(object, kind === 'wildcard' ? [`${prefix.id.slice(0, 3)}*`] : ids, gap);
}

export function objectOf(body: Body): ObjectName {
  const name = text(body, 'object');
  if (!isObjectName(name)) throw new BadInput(`There is no object ${name}.`);
  return name;
}

export function salesforceState({ org, jobs, events }: Salesforce): Readonly<Record<string, unknown>> {
  return {
    usage: org.usage,
    faults: org.faults.pending,
    jobs: jobs.all.map(({ id, table, state, count }) => ({ id, object: table.object, state, count })),
    events: { start: events.log.start, end: events.log.end, lastReplayId: String(events.log.lastReplayId) },
  };
}
