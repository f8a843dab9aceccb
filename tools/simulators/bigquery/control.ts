/** The control door of a simulator in a process of its own: faults, clock and state, over HTTP under `/__control`. */
import type { Express, Request } from 'express';
import type { AppendFault, Faults, RestFault } from './faults.ts';
import { isJson, wholeOr, type Json } from './json.ts';
import { invalid } from './refused.ts';

export interface Controls {
  readonly faults: Faults;
  /** Moves the simulator's clock forward. */
  advance(ms: number): void;
  state(): Json;
}

const APPEND_KINDS = ['hang', 'half-close', 'reset', 'error'];

export function mountControl(app: Express, controls: Controls): void {
  const { faults } = controls;
  const body = (request: Request): Json => (isJson(request.body) ? request.body : {});
  app.get('/__control/state', (_request, response) => void response.json(controls.state()));
  app.post('/__control/switches', (request, response) => {
    faults.set(body(request));
    response.json(faults.switches);
  });
  app.post('/__control/faults/append', (request, response) => {
    const { times, ...fault } = body(request);
    if (!APPEND_KINDS.includes(String(fault.kind))) throw invalid(`kind must be one of ${APPEND_KINDS.join(', ')}`);
    faults.onAppend(fault as Partial<AppendFault> & Pick<AppendFault, 'kind'>, wholeOr(times, 1));
    response.json({});
  });
  app.post('/__control/faults/rest', (request, response) => {
    const { times, ...fault } = body(request);
    if (typeof fault.status !== 'number') throw invalid('status must be a number');
    faults.onRest(fault as Partial<RestFault> & Pick<RestFault, 'status'>, wholeOr(times, 1));
    response.json({});
  });
  app.post(
    '/__control/drop-connections',
    (_request, response) => void response.json({ dropped: faults.dropConnections() }),
  );
  app.post('/__control/clear', (_request, response) => {
    faults.clear();
    response.json({});
  });
  app.post('/__control/clock', (request, response) => {
    controls.advance(wholeOr(body(request).advanceMs, 0));
    response.json({});
  });
}
