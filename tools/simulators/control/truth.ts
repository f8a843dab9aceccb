/** The company as it really is, a record a line: what a test compares a warehouse with. */
import type { Response } from 'express';
import { once } from 'node:events';
import { jsonText } from '../salesforce/render.ts';
import { recordId, type ObjectName, type World } from '../world/index.ts';

const PIECE = 500;

/** Every record that is, or was until it was purged: as REST writes it, with `IsDeleted`; of a purged one `{Id, purged: true}`. */
export async function sendTruth(
  world: World,
  object: ObjectName,
  names: readonly string[] | null,
  res: Response,
): Promise<void> {
  const table = world.tables[object];
  const number = world.latest();
  const fields = table.fields.filter(
    ({ name, type }) => type !== 'address' && (names === null || names.includes(name)),
  );
  const cursor = table.cursor();
  const lines = function* (): Iterable<string> {
    for (let index = 0; index < table.size; index++) {
      if (cursor.move(index, number))
        yield `{${fields.map((field) => `"${field.name}":${jsonText(field, cursor.get(field.name))}`).join(',')}}\n`; // prettier-ignore
      else if (table.versionAt(index, number) !== undefined)
        yield `{"Id":"${recordId(object, index)}","purged":true}\n`;
    }
  };
  await send(res, lines());
}

/** Every call with who really called. */
export async function sendCalls({ calls }: World, res: Response): Promise<void> {
  const lines = function* (): Iterable<string> {
    for (let index = 0; index < calls.count; index++) {
      const { externalNumber, startMs, direction, course } = calls.at(index);
      yield `${JSON.stringify({ ...calls.truthAt(index), externalNumber, startMs, direction, course })}\n`;
    }
  };
  await send(res, lines());
}

async function send(res: Response, lines: Iterable<string>): Promise<void> {
  res.type('application/x-ndjson');
  let piece: string[] = [];
  for (const line of lines) {
    piece.push(line);
    if (piece.length < PIECE) continue;
    if (!res.write(piece.join(''))) await Promise.race([once(res, 'drain'), once(res, 'close')]);
    if (res.destroyed) return;
    piece = [];
  }
  res.end(piece.join(''));
}
