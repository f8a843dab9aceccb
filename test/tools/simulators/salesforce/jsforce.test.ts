import { Connection } from 'jsforce';
import { describe, expect, it } from 'vitest';
import { recordId } from '#tools/simulators/world/index.ts';
import { org, type TestOrg } from './kit.ts';

/** The npm package as it comes, logged in by client credentials. */
async function connected({ salesforce: { urls } }: TestOrg): Promise<Connection> {
  const { clientId, clientSecret, loginUrl, instanceUrl } = urls;
  const connection = new Connection({
    version: '62.0',
    instanceUrl,
    loginUrl,
    oauth2: { clientId, clientSecret, loginUrl },
  });
  await connection.authorize({ grant_type: 'client_credentials' });
  return connection;
}

describe('jsforce, a client we did not write', () => {
  it('logs in and learns which org it is', async () => {
    const served = await org();
    const connection = await connected(served);
    expect(connection.userInfo?.organizationId).toBe(served.salesforce.urls.orgId);
    expect((await connection.identity()).organization_id).toBe(served.salesforce.urls.orgId);
  });

  it('fetches all pages of a query', async () => {
    const served = await org();
    const connection = await connected(served);
    const records = await connection.query('SELECT Id, Name FROM Contact ORDER BY Id', {
      autoFetch: true,
      maxFetch: 10_000,
    });
    const { length } = records.records;
    expect(length).toBe(records.totalSize);
    expect(length).toBeGreaterThan(4_900);
    expect(new Set(records.records.map(({ Id }) => Id)).size).toBe(length);
    expect(served.salesforce.org.traffic.counts['GET /services/data/v62.0/query/{id}']).toBe(2);
  });

  it('describes, retrieves one and many, and reads limits', async () => {
    const connection = await connected(await org());
    const description = await connection.describe('Contact');
    expect(description.fields.find(({ name }) => name === 'AccountId')).toMatchObject({
      type: 'reference',
      referenceTo: ['Account'],
    });
    expect(description.fields.find(({ name }) => name === 'MailingStreet')?.compoundFieldName).toBe('MailingAddress');
    expect((await connection.describeGlobal()).sobjects.map(({ name }) => name)).toContain('Opportunity');
    const id = recordId('Contact', 1);
    expect(await connection.sobject('Contact').retrieve(id)).toMatchObject({ Id: id, IsDeleted: false });
    const several = await connection.sobject('Contact').retrieve([id, recordId('Contact', 2)]);
    expect(several.map(({ Id }) => Id)).toEqual([id, recordId('Contact', 2)]);
    expect((await connection.limits()).DailyApiRequests?.Max).toBe(5_000_000);
    expect(connection.limitInfo.apiUsage?.used).toBeGreaterThan(0);
  });

  it('asks for what was updated and deleted', async () => {
    const { world, ...served } = await org({}, { epochMs: Date.now() - 3_600_000 });
    const connection = await connected({ world, ...served });
    const [changed, gone] = [recordId('Contact', 7), recordId('Contact', 8)];
    world.commit({ changes: [{ kind: 'update', object: 'Contact', id: changed, values: { Title: 'X' } }] });
    world.commit({ changes: [{ kind: 'delete', object: 'Contact', id: gone }] });
    const span = [new Date(Date.now() - 600_000).toISOString(), new Date(Date.now() + 120_000).toISOString()] as const;
    expect((await connection.sobject('Contact').updated(...span)).ids).toContain(changed);
    const { deletedRecords } = await connection.sobject('Contact').deleted(...span);
    expect(deletedRecords.map(({ id }) => id)).toEqual([gone]);
  });

  it('reads a Bulk 2.0 query of one page', async () => {
    const served = await org({}, { contacts: 800 });
    const connection = await connected(served);
    const stream = await connection.bulk2.query('SELECT Id, Title, MailingStreet FROM Contact', { pollInterval: 20 });
    const records = (await stream.toArray()) as Record<string, string>[];
    expect(records.length).toBe(served.salesforce.jobs.all[0]?.count);
    expect(records[0]).toEqual({
      Id: recordId('Contact', 0),
      Title: 'He said "call me", twice',
      MailingStreet: 'comma, semicolon; tab\there',
    });
  });

  it('is told of an expired session and of a malformed query in the vendor’s codes', async () => {
    const served = await org();
    const connection = await connected(served);
    await expect(connection.query('SELEC Id FROM Contact')).rejects.toMatchObject({ errorCode: 'MALFORMED_QUERY' });
    const { instanceUrl, accessToken } = connection;
    const other = new Connection({ version: '62.0', instanceUrl, accessToken: accessToken! });
    served.salesforce.org.sessions.expireAll();
    await expect(other.query('SELECT Id FROM Contact')).rejects.toMatchObject({ errorCode: 'INVALID_SESSION_ID' });
  });

  it('goes on with a refresh token after its session has expired', async () => {
    const served = await org();
    const { clientId, clientSecret, loginUrl, instanceUrl } = served.salesforce.urls;
    const oauth2 = { clientId, clientSecret, loginUrl };
    const { sessions } = served.salesforce.org;
    const tokens = { accessToken: sessions.open(), refreshToken: sessions.refreshToken() };
    const connection = new Connection({ version: '62.0', instanceUrl, oauth2, ...tokens });
    sessions.expireAll();
    expect((await connection.query('SELECT Id FROM User LIMIT 1')).totalSize).toBe(1);
    expect(served.salesforce.org.traffic.counts['POST /services/oauth2/token']).toBe(1);
  });
});
