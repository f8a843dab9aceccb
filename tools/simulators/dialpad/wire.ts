/**
 * The two dresses of one call: a webhook's event has int64 as JSON numbers and says `""` and `{}`; the REST API has int64
 * as text (doubles stay numbers) and the fields of CallProto alone.
 */
import type { Call, Party, Recording } from './model.ts';

type Json = Record<string, unknown>;

/** A JSON number with exactly these digits, whatever their count. (The type library does not know `rawJSON` yet.) */
const rawJson = (JSON as unknown as { readonly rawJSON: (text: string) => unknown }).rawJSON;

function int(id: string | null): unknown {
  return id === null ? null : rawJson(id);
}

function text(ms: number | null): string | null {
  return ms === null ? null : String(ms);
}

/** CallProto: what `GET /api/v2/call` and `GET /api/v2/call/{id}` answer. */
export function restCall(call: Call): Json {
  return {
    admin_call_recording_share_links: links(call, 'admincallrecording'),
    call_id: call.id,
    call_recording_share_links: links(call, 'callrecording'),
    contact: party(call.contact),
    csat_score: call.csatScore,
    custom_data: call.customData,
    date_connected: text(call.connectedMs),
    date_ended: text(call.endedMs),
    date_rang: text(call.rangMs),
    date_started: text(call.startedMs),
    direction: call.direction,
    duration: durationMs(call),
    entry_point_call_id: call.entryPointCallId,
    entry_point_target: party(call.entryPointTarget),
    event_timestamp: text(call.stateMs),
    external_number: call.externalNumber,
    group_id: call.groupId,
    internal_number: call.internalNumber,
    is_transferred: call.isTransferred,
    labels: call.labels,
    master_call_id: call.masterCallId,
    mos_score: call.mosScore,
    operator_call_id: call.operatorCallId,
    proxy_target: {},
    recording_details: call.recordings.map(restRecording),
    routing_breadcrumbs: [],
    state: call.state,
    target: party(call.target),
    total_duration: totalMs(call),
    transcription_text: transcriptText(call),
    voicemail_share_link: call.voicemailUrl,
    was_recorded: call.wasRecorded,
  };
}

export interface EventOptions {
  readonly state: string;
  readonly eventMs: number;
  /** What the state reports beyond the call: a recap's text, a disposition. */
  readonly more?: Json;
  /** Some ringing events have been seen with the end filled in. */
  readonly endsTooEarly?: boolean;
}

/** The payload of a call event, as JSON text: ids are numbers of up to 19 digits. */
export function eventText(call: Call, { state, eventMs, more = {}, endsTooEarly = false }: EventOptions): string {
  return JSON.stringify({
    call_id: int(call.id),
    state,
    event_timestamp: eventMs,
    direction: call.direction,
    external_number: call.externalNumber,
    internal_number: call.internalNumber,
    selected_caller_id: call.direction === 'outbound' ? call.internalNumber : '',
    date_started: call.startedMs,
    date_rang: call.rangMs,
    date_first_rang: call.rangMs,
    date_queued: call.queuedMs,
    date_connected: call.connectedMs,
    date_ended: endsTooEarly ? eventMs : call.endedMs,
    talk_time: call.connectedMs === null || call.endedMs === null ? null : durationMs(call),
    hold_time: call.holdMs,
    duration: durationMs(call),
    total_duration: totalMs(call),
    contact: eventParty(call.contact),
    target: { ...eventParty(call.target), office_id: int('5220648944236254') },
    entry_point_target: eventParty(call.entryPointTarget),
    proxy_target: {},
    entry_point_call_id: int(call.entryPointCallId),
    operator_call_id: int(call.operatorCallId),
    master_call_id: int(call.masterCallId),
    group_id: call.groupId,
    is_internal: call.isInternal,
    is_transferred: call.isTransferred,
    transferred_from: {},
    target_availability_status: 'open',
    callback_requested: null,
    csat_score: call.csatScore,
    mos_score: call.mosScore,
    labels: call.labels,
    was_recorded: call.wasRecorded,
    recording_details: call.recordings.map(eventRecording),
    call_recording_ids: call.recordings.map(({ id }) => id),
    voicemail_link: call.voicemailUrl,
    voicemail_recording_id: null,
    transcription_text: transcriptText(call),
    routing_breadcrumbs: [],
    integrations: {},
    custom_data: call.customData ?? '',
    ...more,
  });
}

export function transcriptText(call: Call): string | null {
  return call.transcript === null ? null : call.transcript.map((line) => line.text).join('\n');
}

function party(value: Party | null): Json {
  return value === null
    ? {}
    : { email: value.email, id: value.id, name: value.name, phone: value.phone, type: value.type };
}

function eventParty(value: Party | null): Json {
  if (value === null) return {};
  return { ...party(value), id: int(value.id) };
}

function restRecording({ id, url, durationMs: duration, startMs, type }: Recording): Json {
  return { id, url, duration: String(duration), start_time: String(startMs), recording_type: type };
}

function eventRecording({ id, url, durationMs: duration, startMs, type }: Recording): Json {
  return { id, url, duration, start_time: startMs, recording_type: type };
}

function links(call: Call, type: Recording['type']): string[] {
  return call.recordings.filter((recording) => recording.type === type).map(({ url }) => url);
}

/** Without ringing. */
function durationMs(call: Call): number | null {
  return call.endedMs === null ? null : call.endedMs - (call.connectedMs ?? call.endedMs);
}

/** With ringing. */
function totalMs(call: Call): number | null {
  return call.endedMs === null ? null : call.endedMs - call.startedMs;
}
