/** A task has a due day and, if it reports a call, that call; an event has a place in the calendar. */
import { beyond, defineMapper } from '../../mapper.ts';
import { constant, day, flag, instant, integer, rounded, text } from '../../rules.ts';

const COMMON = {
  subject: text('Subject'),
  description: text('Description'),
  owner_id: text('OwnerId'),
  who_id: text('WhoId'),
  what_id: text('WhatId'),
  account_id: text('AccountId'),
  due_date: day('ActivityDate'),
  created_at: instant('CreatedDate'),
  modified_at: instant('SystemModstamp'),
  custom_fields: beyond,
};

export default defineMapper({
  source: 'salesforce',
  entity: 'activity',
  ignores: ['Id', 'IsDeleted'],
  objects: {
    Task: {
      ...COMMON,
      kind: constant('task'),
      subtype: text('TaskSubtype'),
      status: text('Status'),
      priority: text('Priority'),
      starts_at: constant(null),
      ends_at: constant(null),
      duration_seconds: integer('CallDurationInSeconds'),
      is_all_day: constant(null),
      is_closed: flag('IsClosed'),
      is_private: constant(null),
      is_child: constant(null),
      call_type: text('CallType'),
      call_disposition: text('CallDisposition'),
      call_object: text('CallObject'),
      location: constant(null),
    },
    Event: {
      ...COMMON,
      kind: constant('event'),
      subtype: text('EventSubtype'),
      status: constant(null),
      priority: constant(null),
      starts_at: instant('StartDateTime'),
      ends_at: instant('EndDateTime'),
      duration_seconds: rounded(60, 'DurationInMinutes'),
      is_all_day: flag('IsAllDayEvent'),
      is_closed: constant(null),
      is_private: flag('IsPrivate'),
      is_child: flag('IsChild'),
      call_type: constant(null),
      call_disposition: constant(null),
      call_object: constant(null),
      location: text('Location'),
    },
  },
});
