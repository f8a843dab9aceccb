import { countriesOf, email, emailValid, phone, phoneList } from '../../identity-rules.ts';
import { beyond, defineMapper } from '../../mapper.ts';
import { flag, instant, text } from '../../rules.ts';

export default defineMapper({
  source: 'salesforce',
  entity: 'user',
  ignores: ['Id', 'IsDeleted'],
  hints: countriesOf(['record', 'Country']),
  objects: {
    User: {
      first_name: text('FirstName'),
      last_name: text('LastName'),
      name: text('Name'),
      username: text('Username'),
      email: email('Email'),
      email_valid: emailValid('Email'),
      phone: phone('Phone'),
      mobile_phone: phone('MobilePhone'),
      phones: phoneList({ phone: ['Phone'], mobile_phone: ['MobilePhone'] }),
      extension: text('Extension'),
      title: text('Title'),
      department: text('Department'),
      role_id: text('UserRoleId'),
      profile_id: text('ProfileId'),
      manager_id: text('ManagerId'),
      is_active: flag('IsActive'),
      user_type: text('UserType'),
      time_zone: text('TimeZoneSidKey'),
      created_at: instant('CreatedDate'),
      modified_at: instant('SystemModstamp'),
      custom_fields: beyond,
    },
  },
});
