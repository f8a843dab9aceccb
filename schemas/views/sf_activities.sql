-- Tasks and events of Salesforce, deleted ones hidden.
SELECT t.* FROM {store}.activities AS t WHERE NOT t.deleted AND t.source = 'salesforce'
