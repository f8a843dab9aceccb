-- Messages that could not be processed, and what became of them.
SELECT d.* FROM {store}.dead_letters AS d WHERE NOT d.deleted
