/** `GET /api/v2/call`, `GET /api/v2/call/{id}` and transcripts, by the vendor's API description. */
import { Router, type Request } from 'express';
import { badRequest, integerParameter, notFound, rate, textParameter } from './answers.ts';
import type { CallFilter, Company, Place } from './company.ts';
import type { Faults } from './faults.ts';
import { listFaults } from './list-faults.ts';
import { TARGET_TYPES } from './hooks.ts';
import type { Call } from './model.ts';
import { restCall } from './wire.ts';

export interface RestOptions {
  readonly company: Company;
  readonly faults: Faults;
  readonly now: () => number;
  readonly minuteMs: number;
  /** Not documented; 25 in practice. */
  readonly pageSize: number;
}

export function callRoutes({ company, faults, now, minuteMs, pageSize }: RestOptions): Router {
  const router = Router();
  router.get('/call', rate(1_200, now, minuteMs), listFaults(faults), (request, response) => {
    const filter = filterOf(request);
    const { calls, more } = company.page(filter, placeOf(request, filter), pageSize);
    const last = calls.at(-1);
    const cursor = more && last !== undefined ? { cursor: cursorOf(last, filter) } : {};
    response.json({ items: calls.map(restCall), ...cursor });
  });
  router.get('/call/:id', rate(10, now, minuteMs), (request, response) => {
    response.json(restCall(callOf(company, request.params['id'])));
  });
  router.get('/transcripts/:id', rate(1_200, now, minuteMs), (request, response) => {
    response.json(transcriptJson(callOf(company, request.params['id'])));
  });
  router.get('/transcripts/:id/url', rate(1_200, now, minuteMs), (request, response) => {
    const call = callOf(company, request.params['id']);
    if (call.transcript === null) throw notFound('Transcript not found.');
    response.json({
      call_id: call.id,
      url: `https://dialpad.example.com/callhistory/callreview/${call.id}?tab=transcript`,
    });
  });
  return router;
}

function callOf(company: Company, id: unknown): Call {
  if (typeof id !== 'string' || !/^\d{1,19}$/.test(id)) throw badRequest('The call id must be an integer.');
  const call = company.call(id);
  if (call === undefined) throw notFound('Call not found.');
  return call;
}

function filterOf(request: Request): CallFilter {
  const targetType = textParameter(request, 'target_type');
  if (targetType !== null && !TARGET_TYPES.has(targetType)) throw badRequest('Invalid target_type.');
  const targetId = integerParameter(request, 'target_id');
  if (targetId === null && targetType !== null) throw badRequest('target_type needs a target_id.');
  const [after, before] = [integerParameter(request, 'started_after'), integerParameter(request, 'started_before')];
  return {
    startedAfterMs: after === null ? null : Number(after),
    startedBeforeMs: before === null ? null : Number(before),
    targetId,
    targetType,
  };
}

/** Opaque to a client: the call last given, and the filter it belongs to. */
function cursorOf(last: Place, filter: CallFilter): string {
  return Buffer.from(JSON.stringify([String(last.startedMs), last.id, filter])).toString('base64url');
}

function placeOf(request: Request, filter: CallFilter): Place | null {
  const cursor = textParameter(request, 'cursor');
  if (cursor === null || cursor === '') return null;
  try {
    const [startedMs, id, of] = JSON.parse(Buffer.from(cursor, 'base64url').toString()) as [string, string, CallFilter];
    if (JSON.stringify(of) === JSON.stringify(filter)) return { startedMs: Number(startedMs), id: String(BigInt(id)) };
  } catch {
    // Refused below, as one made for another query is.
  }
  throw badRequest('Invalid cursor.');
}

function transcriptJson(call: Call): Record<string, unknown> {
  if (call.transcript === null) throw notFound('Transcript not found.');
  const lines = call.transcript.map(({ speaker, atMs, text }) => ({
    ...(speaker === 'user' ? { user_id: call.target.id } : { contact_id: call.contact?.id ?? '' }),
    content: text,
    name: speaker === 'user' ? call.target.name : (call.contact?.name ?? ''),
    // Without a zone, as the vendor's example has it.
    time: `${new Date(atMs).toISOString().slice(0, -1)}000`,
    type: 'transcript',
  }));
  return { call_id: call.id, lines };
}
