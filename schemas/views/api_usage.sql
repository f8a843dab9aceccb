-- Calls to the sources, a row a minute, purpose and operation.
SELECT a.* FROM {store}.api_calls AS a WHERE NOT a.deleted
