-- Calls of Dialpad with their transcript and the person they were matched to.
SELECT
  c.*,
  t.transcript_text,
  m.outcome AS match_outcome,
  m.contact_id AS matched_contact_id,
  m.lead_id AS matched_lead_id,
  m.account_id AS matched_account_id,
  m.rule AS match_rule,
  m.confidence AS match_confidence,
  m.probability AS match_probability
FROM {store}.calls AS c
LEFT JOIN {store}.call_transcripts AS t
  ON t.source = c.source AND t.instance = c.instance AND t.call_id = c.id AND NOT t.deleted
LEFT JOIN {store}.matches AS m
  ON m.activity_source = c.source AND m.activity_instance = c.instance AND m.activity_object = c.object
  AND m.activity_id = c.id AND NOT m.deleted
WHERE NOT c.deleted AND c.source = 'dialpad'
