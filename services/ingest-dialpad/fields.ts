/**
 * The one list of fields of a call, for webhook and list alike: what the vendor gives on both paths, in the order in
 * which a raw record has them. A field that only one path gives is not in a call's row, since the other path would null
 * it: what only the webhook tells is `call_detail`, a row of its own, and so is what a call produced.
 */
export type FieldKind =
  /** `""` means absent; a word in place of a number (`blocked`) stays. */
  | 'text'
  /** An int64 in either dress; 0, `""` and `"null"` mean none. */
  | 'id'
  /** Decimal text. */
  | 'number'
  | 'flag'
  /** A person, department or office: its own field list; `{}` means none. */
  | 'party'
  /** Absent means empty. */
  | 'list'
  /** An object as it is; `{}` means none. */
  | 'object';

export interface Field {
  readonly name: string;
  readonly kind: FieldKind;
  /** What the list calls it. */
  readonly alias?: string;
}

export const CALL_FIELDS: readonly Field[] = [
  ...fields('id', 'call_id'),
  ...fields('text', 'state'),
  ...fields('number', 'event_timestamp'),
  ...fields('text', 'direction', 'external_number', 'internal_number'),
  ...fields('number', 'date_started', 'date_rang', 'date_connected', 'date_ended', 'duration', 'total_duration'),
  ...fields('party', 'contact', 'target', 'entry_point_target', 'proxy_target'),
  ...fields('id', 'entry_point_call_id', 'master_call_id', 'operator_call_id'),
  ...fields('text', 'group_id'),
  ...fields('flag', 'is_transferred', 'was_recorded'),
  ...fields('text', 'csat_score'),
  ...fields('number', 'mos_score'),
  ...fields('list', 'labels'),
  ...fields('text', 'custom_data'),
  ...fields('list', 'routing_breadcrumbs'),
];

/** CallContactProto. */
export const PARTY_FIELDS: readonly Field[] = [
  ...fields('id', 'id'),
  ...fields('text', 'type', 'email', 'phone', 'name'),
];

const HEAD: readonly Field[] = CALL_FIELDS.slice(0, 3);

/** What the webhook alone tells of a call. */
export const DETAIL_FIELDS: readonly Field[] = [
  ...HEAD,
  ...fields('flag', 'is_internal', 'callback_requested'),
  ...fields('number', 'date_first_rang', 'date_queued', 'talk_time', 'hold_time'),
  ...fields('text', 'selected_caller_id', 'target_availability_status'),
  ...fields('object', 'transferred_from', 'integrations'),
];

export const RECORDING_FIELDS: readonly Field[] = [
  ...HEAD,
  ...fields('list', 'recording_details', 'call_recording_ids'),
  { name: 'voicemail_link', kind: 'text', alias: 'voicemail_share_link' },
  ...fields('id', 'voicemail_recording_id'),
  ...fields('list', 'call_recording_share_links', 'admin_call_recording_share_links', 'screen_recording_urls'),
];

export const TRANSCRIPT_FIELDS: readonly Field[] = [...HEAD, ...fields('text', 'transcription_text')];

export const HEAD_FIELDS = HEAD;

function fields(kind: FieldKind, ...names: readonly string[]): Field[] {
  return names.map((name) => ({ name, kind }));
}
