-- Leads of Salesforce, deleted ones hidden.
SELECT t.* FROM {store}.leads AS t WHERE NOT t.deleted AND t.source = 'salesforce'
