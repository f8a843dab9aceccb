import { email, NO_HINTS, phone, phoneList, type Hints } from '../../identity-rules.ts';
import { beyond, defineMapper } from '../../mapper.ts';
import { textAt } from '../../reading.ts';
import { epochMs, firstText, flag, float, rounded, text, texts, type Rule } from '../../rules.ts';

/** Legs of one conversation share no single field: entry point, else master, else the call itself. */
const conversation: Rule<string> = {
  from: [['entry_point_call_id'], ['master_call_id']],
  read: (reading) => firstText(conversation.from).read(reading) ?? reading.id,
};

/** A caller who names no country is taken to be of the country whose number was called. */
const calledCountry: Hints = (record, phones) => {
  const external = textAt(record, ['external_number']);
  if (external === null || external.startsWith('+')) return NO_HINTS;
  const internal = phones.parse(textAt(record, ['internal_number']), NO_HINTS);
  return internal?.reason === 'explicit' && internal.country !== null
    ? [{ country: internal.country, reason: 'user' }]
    : NO_HINTS;
};

export default defineMapper({
  source: 'dialpad',
  entity: 'call',
  ignores: ['call_id', 'event_timestamp'],
  hints: calledCountry,
  objects: {
    call: {
      conversation_id: conversation,
      entry_point_call_id: text('entry_point_call_id'),
      master_call_id: text('master_call_id'),
      operator_call_id: text('operator_call_id'),
      state: text('state'),
      direction: text('direction'),
      external_number: phone('external_number'),
      internal_number: phone('internal_number'),
      phones: phoneList({ external_number: ['external_number'] }),
      contact_id: text('contact', 'id'),
      contact_type: text('contact', 'type'),
      contact_name: text('contact', 'name'),
      contact_email: email('contact', 'email'),
      target_id: text('target', 'id'),
      target_type: text('target', 'type'),
      target_name: text('target', 'name'),
      target_email: email('target', 'email'),
      group_id: text('group_id'),
      started_at: epochMs('date_started'),
      rang_at: epochMs('date_rang'),
      connected_at: epochMs('date_connected'),
      ended_at: epochMs('date_ended'),
      duration_ms: rounded(1, 'duration'),
      total_duration_ms: rounded(1, 'total_duration'),
      was_recorded: flag('was_recorded'),
      is_transferred: flag('is_transferred'),
      csat_score: text('csat_score'),
      mos_score: float('mos_score'),
      labels: texts('labels'),
      custom_fields: beyond,
    },
  },
});
