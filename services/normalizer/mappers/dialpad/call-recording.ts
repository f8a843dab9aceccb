/**
 * Recordings as the source describes them, then those of which it gives only an id or a link: no layout says which link
 * belongs to which recording, so each is kept as its own, never joined by guess.
 */
import type { Recording } from '#schemas/generated/types.ts';
import { isRecord } from '#core/vendor/json.ts';
import { defineMapper } from '../../mapper.ts';
import { textAt, type JsonObject, type Path, type Reading } from '../../reading.ts';
import { epochMs, recordId, rounded, type Rule } from '../../rules.ts';

const LINKS: Readonly<Record<string, string>> = {
  call_recording_share_links: 'callrecording',
  admin_call_recording_share_links: 'admincallrecording',
  screen_recording_urls: 'screenrecording',
};

const recordings: Rule<readonly Recording[]> = {
  from: [
    'recording_details',
    'call_recording_ids',
    'voicemail_link',
    'voicemail_recording_id',
    ...Object.keys(LINKS),
  ].map((name): Path => [name]),
  read(reading) {
    const found = new Map<string, Recording>();
    const add = (recording: Recording): void => {
      if (!found.has(recording.recording_id)) found.set(recording.recording_id, recording);
    };
    for (const item of list(reading.record, 'recording_details')) add(described(reading, item));
    for (const id of list(reading.record, 'call_recording_ids')) add(bare(textOf(id), null, null));
    const voicemail = textAt(reading.record, ['voicemail_link']);
    const voicemailId = textAt(reading.record, ['voicemail_recording_id']) ?? voicemail;
    if (voicemailId !== null) add(bare(voicemailId, 'voicemail', voicemail));
    for (const [name, kind] of Object.entries(LINKS)) {
      for (const link of list(reading.record, name)) add(bare(textOf(link), kind, textOf(link)));
    }
    return [...found.values()];
  },
};

export default defineMapper({
  source: 'dialpad',
  entity: 'call_recording',
  ignores: [],
  objects: { call_recording: { call_id: recordId, recordings } },
});

const duration = rounded(1, 'duration');
const start = epochMs('start_time');

function described(reading: Reading, item: unknown): Recording {
  if (!isRecord(item)) return bare(textOf(item), null, null);
  const inner = { ...reading, record: item, misfits: [] };
  const url = textAt(item, ['url']);
  return {
    recording_id: textAt(item, ['id']) ?? url ?? JSON.stringify(item),
    kind: textAt(item, ['recording_type']),
    url,
    duration_ms: duration.read(inner),
    started_at: start.read(inner),
  };
}

function bare(id: string, kind: string | null, url: string | null): Recording {
  return { recording_id: id, kind, url, duration_ms: null, started_at: null };
}

function list(record: JsonObject, name: string): readonly unknown[] {
  const value = record[name];
  if (Array.isArray(value)) return value as readonly unknown[];
  return value === undefined || value === null || value === '' ? [] : [value];
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
