/**
 * The seeded company's telephone system: its staff as users, its past calls as history, its new calls live. Some calls
 * come in through a department or are passed on, so that one conversation has several legs; the world knows who called.
 */
import type { PhoneCall, Staff, World } from '../world/index.ts';
import { stepsOf, type CallScript } from './life.ts';
import type { Department, Party, User } from './model.ts';
import { partyOfUser } from './model.ts';
import type { Dialpad } from './simulator.ts';

const OFFICE_ID = '5220648944236254';
const SALES: Department = { id: '5220648944230001', name: 'Sales', phone: '+12135550190' };
/** Every so many calls come in through the department, or are passed on. */
const DEPARTMENT_EVERY = 7n;
const TRANSFER_EVERY = 11n;

/** Fills the simulator and lets the world's new calls happen in it. The returned function ends that. */
export function serveWorld(dialpad: Dialpad, world: World): () => void {
  const { company, player } = dialpad;
  company.departments.set(SALES.id, SALES);
  for (const staff of world.staff()) company.users.set(staff.dialpadId, userOf(staff));
  const users = [...company.users.values()];
  for (let index = 0; index < world.calls.count; index++) {
    // What was live in an earlier process went at its pace.
    const pace = index < world.calls.historicCount ? 1 : dialpad.pace;
    player.history(scriptOf(world.calls.at(index), users), pace);
  }
  let isServing = true;
  world.calls.onCall((call) => {
    if (!isServing) return;
    const script = scriptOf(call, users);
    // A journal that is repeated tells of calls that are long over.
    if (call.startMs + lengthOf(script) * dialpad.pace < world.now()) player.history(script, dialpad.pace);
    else void player.live(script);
  });
  return () => {
    isServing = false;
  };
}

function scriptOf(call: PhoneCall, users: readonly User[]): CallScript {
  const number = BigInt(call.id) / 10n;
  const user = partyOfUser(userOf(call.staff));
  const isGroupCall = call.direction === 'inbound' && !call.isInternal && number % DEPARTMENT_EVERY === 0n;
  const isPassedOn = call.course === 'answered' && number % TRANSFER_EVERY === 0n;
  const colleague = users[Number(number % BigInt(users.length))];
  return {
    callId: call.id,
    course: call.course,
    direction: call.direction,
    externalNumber: call.externalNumber,
    contact: contactOf(call),
    user,
    startMs: call.startMs,
    ringMs: call.ringMs,
    talkMs: call.talkMs,
    isInternal: call.isInternal,
    recorded: call.isRecorded,
    ...(isGroupCall ? { department: partyOfDepartment(SALES) } : {}),
    ...(isPassedOn && colleague !== undefined ? { transferTo: partyOfUser(colleague) } : {}),
    ...(call.lines === null ? {} : { lines: call.lines }),
  };
}

/** Up to the last thing the call produces. */
function lengthOf(script: CallScript): number {
  return stepsOf(script).at(-1)?.offsetMs ?? 0;
}

/** Dialpad makes a contact of every number it meets, named by that number until somebody names it. */
function contactOf({ externalNumber, isInternal }: PhoneCall): Party | null {
  if (!externalNumber.startsWith('+')) return null;
  const id = `4${externalNumber.slice(1).padStart(15, '0')}`;
  return { id, type: isInternal ? 'user' : 'local', email: '', phone: externalNumber, name: externalNumber };
}

function userOf({ dialpadId, firstName, lastName, email, phone, isActive }: Staff): User {
  const state = isActive ? 'active' : 'suspended';
  return { id: dialpadId, firstName, lastName, email, phone, state, officeId: OFFICE_ID, isAdmin: false };
}

function partyOfDepartment({ id, name, phone }: Department): Party {
  return { id, type: 'department', email: '', phone, name };
}
