/** Tasks and events, each about a contact and its account. */
import { recordId } from '../ids.ts';
import * as pools from '../pools.ts';
import { createdMs, date, type Generators, type Row } from '../row.ts';
import { sometimesAwkward, SYSTEM, userId } from './common.ts';
import { accountIndexOf } from './contact.ts';

const DAY_MS = 86_400_000;
const contact = (row: Row): number => row.mix(1) % row.shape.contacts;
const isCall = (row: Row): boolean => row.perMille(300, 2);
const isDone = (row: Row): boolean => row.perMille(600, 3);
const isAbout = (row: Row): boolean => !row.perMille(100, 4);

const SHARED: Generators = {
  ...SYSTEM,
  WhoId: (row) => (isAbout(row) ? recordId('Contact', contact(row)) : null),
  WhatId: (row) => (row.perMille(400, 5) ? recordId('Account', accountIndexOf(contact(row), row.shape)) : null),
  AccountId: (row) => (isAbout(row) ? recordId('Account', accountIndexOf(contact(row), row.shape)) : null),
  Subject: sometimesAwkward((row) => row.pick(pools.SUBJECTS, 6), 6),
  Description: sometimesAwkward((row) => (row.perMille(600, 7) ? null : 'Spoke about prices.\nWill call again.'), 8),
  OwnerId: (row) => userId(row, 8),
};

export const TASK: Generators = {
  Id: (row) => recordId('Task', row.index),
  ...SHARED,
  ActivityDate: (row) => (row.perMille(200, 9) ? null : date(createdMs(row) + (row.mix(10) % 30) * DAY_MS)),
  Status: (row) => (isDone(row) ? 'Completed' : row.pick(['Not Started', 'In Progress'], 11)),
  Priority: (row) => (row.perMille(100, 12) ? 'High' : 'Normal'),
  IsHighPriority: (row) => row.perMille(100, 12),
  IsClosed: isDone,
  CallDurationInSeconds: (row) => (isCall(row) ? row.mix(13) % 3_600 : null),
  CallType: (row) => (isCall(row) ? row.pick(['Inbound', 'Outbound', 'Internal'], 14) : null),
  CallDisposition: (row) => (isCall(row) ? row.pick(['Connected', 'Left voicemail', 'No answer'], 15) : null),
  TaskSubtype: (row) => (isCall(row) ? 'Call' : 'Task'),
  CompletedDateTime: (row) => (isDone(row) ? createdMs(row) + (row.mix(16) % 86_400) * 1_000 : null),
};

const isAllDay = (row: Row): boolean => row.perMille(100, 20);
const minutes = (row: Row): number => (isAllDay(row) ? 1_440 : 15 * (1 + (row.mix(21) % 8)));
/** All-day events start at midnight, others on the quarter of an hour. */
const start = (row: Row): number => {
  const day = createdMs(row) - (createdMs(row) % DAY_MS) + DAY_MS;
  return isAllDay(row) ? day : day + (row.mix(22) % 96) * 900_000;
};

export const EVENT: Generators = {
  Id: (row) => recordId('Event', row.index),
  ...SHARED,
  Location: (row) =>
    row.perMille(500, 23) ? null : row.pick(['Room 4', 'Café "Central"', 'https://meet.example/abc'], 24),
  IsAllDayEvent: isAllDay,
  ActivityDateTime: (row) => (isAllDay(row) ? null : start(row)),
  ActivityDate: (row) => date(start(row)),
  DurationInMinutes: minutes,
  StartDateTime: start,
  EndDateTime: (row) => start(row) + minutes(row) * 60_000,
  ShowAs: () => 'Busy',
  IsChild: (row) => row.perMille(50, 25),
  EventSubtype: () => 'Event',
};
