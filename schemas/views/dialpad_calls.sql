-- Calls of Dialpad with what the webhooks tell of them, their transcript and the person they were matched to.
SELECT
  c.*,
  d.is_internal,
  d.first_rang_at,
  d.queued_at,
  d.talk_ms,
  d.hold_ms,
  d.callback_requested,
  t.transcript_text,
  m.outcome AS match_outcome,
  m.contact_id AS matched_contact_id,
  m.lead_id AS matched_lead_id,
  m.account_id AS matched_account_id,
  m.rule AS match_rule,
  m.confidence AS match_confidence,
  m.probability AS match_probability
FROM {store}.calls AS c
LEFT JOIN {store}.call_details AS d
  ON d.source = c.source AND d.instance = c.instance AND d.call_id = c.id AND NOT d.deleted
LEFT JOIN {store}.call_transcripts AS t
  ON t.source = c.source AND t.instance = c.instance AND t.call_id = c.id AND NOT t.deleted
LEFT JOIN {store}.matches AS m
  ON m.activity_source = c.source AND m.activity_instance = c.instance AND m.activity_object = c.object
  AND m.activity_id = c.id AND NOT m.deleted
WHERE NOT c.deleted AND c.source = 'dialpad'
