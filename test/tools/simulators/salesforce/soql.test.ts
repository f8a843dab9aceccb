import { describe, expect, it } from 'vitest';
import { recordId } from '#tools/simulators/world/index.ts';
import { org, soql, V, type TestOrg } from './kit.ts';

type Reply = { readonly totalSize: number; readonly records: readonly Readonly<Record<string, unknown>>[] };

async function ask({ json }: TestOrg, text: string, resource = 'query'): Promise<Reply> {
  const { status, body } = await json(soql(text, resource));
  expect(status).toBe(200);
  return body;
}

describe('SOQL', () => {
  it.each([
    ["FirstName = 'ada'", (c: Contact) => c.FirstName?.toLowerCase() === 'ada'],
    ["FirstName != 'Ada'", (c: Contact) => c.FirstName?.toLowerCase() !== 'ada'],
    ["LastName IN ('Baker', 'O\\'Brien')", (c: Contact) => ['Baker', "O'Brien"].includes(c.LastName)],
    ["LastName NOT IN ('Baker')", (c: Contact) => c.LastName !== 'Baker'],
    ["LastName LIKE 'b%er'", (c: Contact) => /^b.*er$/i.test(c.LastName)],
    [
      'Score__c >= 50 AND Score__c < 60.5',
      (c: Contact) => c.Score__c !== null && c.Score__c >= 50 && c.Score__c < 60.5,
    ],
    ['Score__c = null', (c: Contact) => c.Score__c === null],
    ['NOT (Score__c > 10 OR Score__c = null)', (c: Contact) => c.Score__c !== null && c.Score__c <= 10],
    ['DoNotCall = true', (c: Contact) => c.DoNotCall],
    ['Renewal_Date__c > 2025-06-01', (c: Contact) => c.Renewal_Date__c !== null && c.Renewal_Date__c > '2025-06-01'],
    ['CreatedDate < 2023-01-01T00:00:00Z', (c: Contact) => Date.parse(c.CreatedDate) < Date.UTC(2023, 0, 1)],
    ['CreatedDate < 2023-01-01T01:00:00.000+01:00', (c: Contact) => Date.parse(c.CreatedDate) < Date.UTC(2023, 0, 1)],
  ])('WHERE %s finds exactly what it says', async (where, wanted) => {
    const served = await org({}, { contacts: 1_500 });
    const fields = 'Id, FirstName, LastName, Score__c, DoNotCall, Renewal_Date__c, CreatedDate';
    const all = (await ask(served, `SELECT ${fields} FROM Contact`)).records as unknown as Contact[];
    const found = (await ask(served, `SELECT ${fields} FROM Contact WHERE ${where}`)).records as unknown as Contact[];
    expect(found.map(({ Id }) => Id)).toEqual(all.filter(wanted).map(({ Id }) => Id));
    expect(found.length).toBeGreaterThan(0);
  });

  it('orders by several fields, nulls first, and limits', async () => {
    const served = await org({}, { contacts: 600 });
    const { records } = await ask(
      served,
      'SELECT Id, Score__c, Region__c FROM Contact ORDER BY Region__c, Score__c DESC LIMIT 500',
    );
    expect(records.length).toBe(500);
    const keys = records.map(
      ({ Region__c, Score__c }) =>
        [Region__c ?? '', Score__c === null ? -Infinity : -Number(Score__c)] as [string, number],
    );
    expect(keys).toEqual(keys.toSorted((a, b) => (a[0] === b[0] ? a[1] - b[1] : a[0] < b[0] ? -1 : 1)));
  });

  it('counts', async () => {
    expect((await ask(await org({}, { contacts: 600 }), 'SELECT COUNT() FROM Account')).totalSize).toBe(75);
  });

  it('shows what lies in the recycle bin to queryAll alone, and what was purged to nobody', async () => {
    const served = await org({}, { contacts: 100 });
    const [deleted, purged] = [recordId('Contact', 1), recordId('Contact', 2)];
    served.world.commit({ changes: [deleted, purged].map((id) => ({ kind: 'delete', object: 'Contact', id })) });
    served.world.commit({ changes: [{ kind: 'purge', object: 'Contact', id: purged }] });
    const text = `SELECT Id, IsDeleted FROM Contact WHERE Id IN ('${deleted}', '${purged}')`;
    expect((await ask(served, text)).records).toEqual([]);
    expect((await ask(served, text, 'queryAll')).records).toMatchObject([{ Id: deleted, IsDeleted: true }]);
    expect((await served.json(`${V}/sobjects/Contact/${deleted}`)).body).toMatchObject([
      { errorCode: 'ENTITY_IS_DELETED' },
    ]);
  });

  it('answers a composite of queries as one call, each part with its own status', async () => {
    const served = await org({}, { contacts: 100 });
    const part = (text: string, referenceId: string) => ({ method: 'GET', url: soql(text), referenceId });
    const compositeRequest = [part('SELECT Id FROM User LIMIT 1', 'a'), part('SELECT X FROM User', 'b')];
    const init = { method: 'POST', body: JSON.stringify({ allOrNone: false, compositeRequest }) };
    const { body } = await served.json(`${V}/composite`, init);
    expect(body).toMatchObject({
      compositeResponse: [
        { referenceId: 'a', httpStatusCode: 200, body: { totalSize: 1 } },
        { referenceId: 'b', httpStatusCode: 400, body: [{ errorCode: 'INVALID_FIELD' }] },
      ],
    });
    expect(served.salesforce.org.usage.requests).toBe(1);
  });
});

interface Contact {
  readonly Id: string;
  readonly FirstName: string | null;
  readonly LastName: string;
  readonly Score__c: number | null;
  readonly DoNotCall: boolean;
  readonly Renewal_Date__c: string | null;
  readonly CreatedDate: string;
}
