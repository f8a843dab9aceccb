import { expect, it } from 'vitest';
import { fieldsOf } from '#services/ingest-salesforce/cdc/bitmap.ts';

const nested = {
  type: 'record',
  name: 'Address',
  fields: ['Street', 'City', 'State'].map((name) => ({ name, type: ['null', 'string'] })),
};
const schema = {
  type: 'record',
  name: 'AccountChangeEvent',
  fields: [
    { name: 'ChangeEventHeader', type: { type: 'record', name: 'Header', fields: [] } },
    { name: 'Name', type: ['null', 'string'] },
    { name: 'BillingAddress', type: ['null', nested] },
    { name: 'Phone', type: ['string', 'null'] },
    ...Array.from({ length: 40 }, (_, n) => ({ name: `F${n}`, type: 'string' })),
  ],
};

it.each([
  [
    ['0x08', '2-0x06'],
    ['Phone', 'BillingAddress.City', 'BillingAddress.State'],
  ],
  [['0x0A'], ['Name', 'Phone']],
  [['0x0a'], ['Name', 'Phone']],
  [['0x80000000000'], ['F39']],
  [['0x00'], []],
  [[], []],
  [['0xffffffffffffffffffff000', '99-0x01', '1-0x01', 'nonsense'], expect.arrayContaining(['F8', 'F39']) as string[]],
])('%j names %j', (bitmaps, names) => {
  expect(fieldsOf(bitmaps, schema)).toEqual(names);
});
