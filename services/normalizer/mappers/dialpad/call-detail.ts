/** What only webhooks tell of a call: a row of its own, since the list of calls would null it in the call's. */
import { beyond, defineMapper } from '../../mapper.ts';
import { epochMs, flag, recordId, rounded } from '../../rules.ts';

export default defineMapper({
  source: 'dialpad',
  entity: 'call_detail',
  ignores: ['call_id', 'state', 'event_timestamp'],
  objects: {
    call_detail: {
      call_id: recordId,
      is_internal: flag('is_internal'),
      first_rang_at: epochMs('date_first_rang'),
      queued_at: epochMs('date_queued'),
      talk_ms: rounded(1, 'talk_time'),
      hold_ms: rounded(1, 'hold_time'),
      callback_requested: flag('callback_requested'),
      custom_fields: beyond,
    },
  },
});
