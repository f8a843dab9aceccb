-- Calls, tasks and events with the person and account they concern, one row a participant.
SELECT
  a.source, a.instance, a.object, a.id, a.kind, a.subject AS title,
  COALESCE(a.starts_at, CAST(a.due_date AS TIMESTAMP), a.created_at) AS occurred_at, a.owner_id AS user_id,
  m.participant, m.outcome, m.contact_id, m.lead_id, m.account_id, m.rule, m.confidence, m.probability
FROM {store}.activities AS a
LEFT JOIN {store}.matches AS m
  ON m.activity_source = a.source AND m.activity_instance = a.instance AND m.activity_object = a.object
  AND m.activity_id = a.id AND NOT m.deleted
WHERE NOT a.deleted
UNION ALL
SELECT
  c.source, c.instance, c.object, c.id, 'call' AS kind, c.direction AS title,
  COALESCE(c.started_at, c.rang_at, c.connected_at, c.ended_at) AS occurred_at, c.target_id AS user_id,
  m.participant, m.outcome, m.contact_id, m.lead_id, m.account_id, m.rule, m.confidence, m.probability
FROM {store}.calls AS c
LEFT JOIN {store}.matches AS m
  ON m.activity_source = c.source AND m.activity_instance = c.instance AND m.activity_object = c.object
  AND m.activity_id = c.id AND NOT m.deleted
WHERE NOT c.deleted
