/** This machine: the Node that runs us, and the folder that holds what is durable here. */
import { accessSync, constants, existsSync, statfsSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { usesFolder } from '../config.ts';
import { failed, ok, skipped, warning, type Check, type Finding } from './check.ts';
import { configOf, type Subject } from './subject.ts';

/** Runs TypeScript as it is, and has SQLite. */
const NODE = 24;
/** DuckDB and the broker want room for what they rewrite. */
const FREE_BYTES = 1_000_000_000;

export function nodeCheck(version: string = process.versions.node): Check {
  const run = async (): Promise<Finding> =>
    Number(version.split('.')[0]) >= NODE
      ? ok(`Node ${version}.`)
      : failed(`This is Node ${version}; ${NODE} or later is needed.`, 'Run «npm ci», which brings one along.');
  return { name: 'node', otherwise: 'Run «npm ci».', run };
}

export function folderCheck(subject: Subject): Check {
  const folder = resolve(configOf(subject)['state.folder']);
  return {
    name: 'state folder',
    otherwise: 'Give another folder with --state.',
    run: async () => (usesFolder(configOf(subject)) ? look(folder, subject.isRunning) : skipped('None is used.')),
  };
}

function look(folder: string, isRunning: boolean): readonly Finding[] {
  if (!existsSync(folder)) return [newFolder(folder)];
  const other = 'Give another folder with --state, or mend its rights.';
  if (!isUsable(folder)) return [failed(`${folder} cannot be read and written by this user.`, other)];
  const said = isRunning ? `${folder}; a pipeline runs on it.` : `${folder}; no pipeline runs on it.`;
  return [ok(said), ...privacy(folder), ...room(folder)];
}

function newFolder(folder: string): Finding {
  let above = dirname(folder);
  while (!existsSync(above)) above = dirname(above);
  return isUsable(above)
    ? ok(`${folder} is not there yet; «npm start» makes it.`)
    : failed(`${folder} is not there, and cannot be made.`, 'Give another folder with --state.');
}

function isUsable(folder: string): boolean {
  try {
    accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK);
    return statSync(folder).isDirectory();
  } catch {
    return false;
  }
}

function privacy(folder: string): readonly Finding[] {
  if ((statSync(folder).mode & 0o077) === 0) return [];
  return [warning(`${folder} is open to other users of this machine.`, `chmod 700 ${folder}`)];
}

function room(folder: string): readonly Finding[] {
  const { bavail, bsize } = statfsSync(folder);
  const free = bavail * bsize;
  if (free >= FREE_BYTES) return [];
  return [
    warning(`Its disk has ${Math.round(free / 1_000_000)} MB left.`, 'Make room: a full disk stops the pipeline.'),
  ];
}
