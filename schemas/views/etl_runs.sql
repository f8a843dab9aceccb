-- Backfills, polls, reconciles, replays and starts.
SELECT r.* FROM {store}.runs AS r WHERE NOT r.deleted
