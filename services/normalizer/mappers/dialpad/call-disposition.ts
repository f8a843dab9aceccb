import { defineMapper } from '../../mapper.ts';
import { json, recordId } from '../../rules.ts';

export default defineMapper({
  source: 'dialpad',
  entity: 'call_disposition',
  ignores: [],
  objects: { call_disposition: { call_id: recordId, disposition: json('content') } },
});
