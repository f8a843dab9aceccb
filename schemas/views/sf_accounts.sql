-- Accounts of Salesforce, deleted ones hidden.
SELECT t.* FROM {store}.accounts AS t WHERE NOT t.deleted AND t.source = 'salesforce'
