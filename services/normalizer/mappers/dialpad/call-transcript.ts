import { defineMapper } from '../../mapper.ts';
import { recordId, text } from '../../rules.ts';

export default defineMapper({
  source: 'dialpad',
  entity: 'call_transcript',
  ignores: [],
  objects: { call_transcript: { call_id: recordId, transcript_text: text('transcription_text') } },
});
