import { countriesOf, phone, phoneList } from '../../identity-rules.ts';
import { beyond, defineMapper } from '../../mapper.ts';
import { decimal, instant, integer, text } from '../../rules.ts';

export default defineMapper({
  source: 'salesforce',
  entity: 'account',
  ignores: ['Id', 'IsDeleted'],
  hints: countriesOf(['record', 'BillingCountry'], ['record', 'ShippingCountry']),
  objects: {
    Account: {
      name: text('Name'),
      type: text('Type'),
      parent_id: text('ParentId'),
      owner_id: text('OwnerId'),
      industry: text('Industry'),
      website: text('Website'),
      phone: phone('Phone'),
      fax: phone('Fax'),
      phones: phoneList({ phone: ['Phone'], fax: ['Fax'] }),
      billing_street: text('BillingStreet'),
      billing_city: text('BillingCity'),
      billing_state: text('BillingState'),
      billing_postal_code: text('BillingPostalCode'),
      billing_country: text('BillingCountry'),
      shipping_street: text('ShippingStreet'),
      shipping_city: text('ShippingCity'),
      shipping_state: text('ShippingState'),
      shipping_postal_code: text('ShippingPostalCode'),
      shipping_country: text('ShippingCountry'),
      annual_revenue: decimal('AnnualRevenue'),
      employees: integer('NumberOfEmployees'),
      account_source: text('AccountSource'),
      description: text('Description'),
      merged_into: text('MasterRecordId'),
      created_at: instant('CreatedDate'),
      modified_at: instant('SystemModstamp'),
      custom_fields: beyond,
    },
  },
});
