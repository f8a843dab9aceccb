-- Opportunities of Salesforce, deleted ones hidden.
SELECT t.* FROM {store}.opportunities AS t WHERE NOT t.deleted AND t.source = 'salesforce'
