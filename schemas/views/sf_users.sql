-- Users of Salesforce.
SELECT t.* FROM {store}.users AS t WHERE NOT t.deleted AND t.source = 'salesforce'
