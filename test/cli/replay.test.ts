import { describe, expect, it } from 'vitest';
import { replayCommand } from '#cli/commands/replay.ts';

/** What the command line says of it, before anything is opened. */
async function said(...args: string[]): Promise<string> {
  let text = '';
  const command = replayCommand()
    .exitOverride()
    .configureOutput({ writeErr: (line) => void (text += line) });
  await expect(command.parseAsync(args, { from: 'user' })).rejects.toMatchObject({ name: 'CommanderError' });
  return text;
}

describe('replay', () => {
  it.each([
    [[], 'say from when'],
    [['dialpad'], 'say from when'],
    [['--to', '2026-11-21'], 'say from when'],
    [['--since', '2026-11-20'], 'wants a source'],
    [['dialpad', '--since', '2026-11-20', '--to', '2026-11-21'], '--to the archive: give one or the other'],
    [['dialpad', '--since', '2026-11-20', '--dry-run'], '--dry-run the archive'],
    [['dialpad', '--since', '2026-11-20', '--entity', 'call'], '--entity the archive'],
    [['--from', '2026-11-20', '--object', 'call'], 'say --entity'],
    [['--from', 'yesterday'], 'must be a time'],
    [['--from', '2026-11-20', '--source', 'netscape'], 'Allowed choices'],
    [['dialpad', '--from', '2026-11-20', '--source', 'salesforce'], 'give one source'],
  ])('%j is refused before anything is opened', async (args, why) => {
    expect(await said(...args)).toContain(why);
  });
});
