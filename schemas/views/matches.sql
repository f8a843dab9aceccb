-- Who each participant of each activity is, and why.
SELECT m.* FROM {store}.matches AS m WHERE NOT m.deleted
