/** Every mapper, one a file; a test holds the list against the folder. */
import type { EntityName } from '#schemas/generated/types.ts';
import type { Mapper } from '../mapper.ts';
import call from './dialpad/call.ts';
import callDetail from './dialpad/call-detail.ts';
import callDisposition from './dialpad/call-disposition.ts';
import callRecap from './dialpad/call-recap.ts';
import callRecording from './dialpad/call-recording.ts';
import callTranscript from './dialpad/call-transcript.ts';
import account from './salesforce/account.ts';
import activity from './salesforce/activity.ts';
import contact from './salesforce/contact.ts';
import lead from './salesforce/lead.ts';
import opportunity from './salesforce/opportunity.ts';
import user from './salesforce/user.ts';

export const MAPPERS: readonly Mapper<EntityName>[] = [
  ...[call, callDetail, callDisposition, callRecap, callRecording, callTranscript],
  ...[account, activity, contact, lead, opportunity, user],
];
