-- Contacts of Salesforce, deleted ones hidden.
SELECT t.* FROM {store}.contacts AS t WHERE NOT t.deleted AND t.source = 'salesforce'
