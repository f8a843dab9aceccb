/** No layout of a recap is documented: it stays JSON. Each kind is a row of its own, so the key holds call and kind. */
import { defineMapper } from '../../mapper.ts';
import { textAt } from '../../reading.ts';
import { json, type Rule } from '../../rules.ts';

const callId: Rule<string> = {
  from: [['call_id']],
  read: ({ record, id }) => textAt(record, ['call_id']) ?? id.slice(0, id.includes('/') ? id.indexOf('/') : undefined),
};

const kind: Rule<string> = {
  from: [['state']],
  read: ({ record, id }) => textAt(record, ['state']) ?? id.slice(id.indexOf('/') + 1),
};

export default defineMapper({
  source: 'dialpad',
  entity: 'call_recap',
  ignores: [],
  objects: { call_recap: { call_id: callId, kind, content: json('content') } },
});
