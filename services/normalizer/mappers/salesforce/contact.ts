import { countriesOf, email, emailValid, phone, phoneList } from '../../identity-rules.ts';
import { beyond, defineMapper } from '../../mapper.ts';
import { flag, instant, joinedText, text } from '../../rules.ts';

export default defineMapper({
  source: 'salesforce',
  entity: 'contact',
  // The account's country is evidence for the phones, no fact about the contact.
  ignores: ['Id', 'IsDeleted', 'Account.BillingCountry'],
  hints: countriesOf(['record', 'MailingCountry'], ['account', 'Account.BillingCountry']),
  objects: {
    Contact: {
      account_id: text('AccountId'),
      owner_id: text('OwnerId'),
      first_name: text('FirstName'),
      last_name: text('LastName'),
      name: joinedText('Name', ['FirstName', 'LastName']),
      salutation: text('Salutation'),
      title: text('Title'),
      department: text('Department'),
      email: email('Email'),
      email_valid: emailValid('Email'),
      phone: phone('Phone'),
      mobile_phone: phone('MobilePhone'),
      home_phone: phone('HomePhone'),
      other_phone: phone('OtherPhone'),
      phones: phoneList({
        phone: ['Phone'],
        mobile_phone: ['MobilePhone'],
        home_phone: ['HomePhone'],
        other_phone: ['OtherPhone'],
      }),
      mailing_street: text('MailingStreet'),
      mailing_city: text('MailingCity'),
      mailing_state: text('MailingState'),
      mailing_postal_code: text('MailingPostalCode'),
      mailing_country: text('MailingCountry'),
      lead_source: text('LeadSource'),
      email_opt_out: flag('HasOptedOutOfEmail'),
      merged_into: text('MasterRecordId'),
      created_at: instant('CreatedDate'),
      modified_at: instant('SystemModstamp'),
      custom_fields: beyond,
    },
  },
});
