import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '#adapters/clock/system.ts';
import { crc32c } from '#adapters/secrets/crc32c.ts';
import { openGoogleSecrets, type Secrets } from '#adapters/secrets/google.ts';
import { startFakeSecrets, type FakeSecrets } from './fake.ts';

const NAME = 'projects/acme/secrets/tributary-dialpad-api-key/versions/3';
const text = (value: string): Uint8Array => new TextEncoder().encode(value);

let fake: FakeSecrets;
let secrets: Secrets;
beforeAll(async () => {
  fake = await startFakeSecrets();
  secrets = openGoogleSecrets({ endpoint: fake.endpoint, clock: systemClock, withinMs: 1_000 });
});
afterEach(() => fake.versions.clear());
afterAll(async () => {
  await secrets.close();
  fake.stop();
});

describe('what goes wrong with a secret is said by its name, and never what the service or the secret says', () => {
  it.each([
    ['is not there', 5, 'secret_missing', 'add a version'],
    ['has a name that is none', 3, 'secret_missing', 'mend its name'],
    ['is disabled', 9, 'secret_disabled', 'another version'],
    ['may not be read', 7, 'secret_denied', 'secretAccessor'],
    ['is asked for without credentials', 16, 'secret_denied', 'secretAccessor'],
    ['makes the service fail', 13, 'secret_unavailable', 'does not answer'],
    ['is never answered', 'silence', 'secret_unavailable', 'does not answer'],
    ['was damaged on its way', 'damaged', 'secret_damaged', 'asked for again'],
    ['is no text', new Uint8Array([0xff, 0xfe, 0x41]), 'secret_not_text', 'UTF-8'],
  ] as const)('one that %s', async (_, version, code, what) => {
    fake.versions.set(NAME, version);
    const error = await secrets.access(NAME).catch((one: unknown) => one);
    expect(error).toMatchObject({ code, message: expect.stringContaining(what) as string });
    expect((error as Error).message).toContain(NAME);
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain('s3cret');
  });
});

it.each([
  ['plain', 'k3y', 'k3y'],
  ['that ends with a line break', 'k3y\n', 'k3y'],
  ['that ends as on Windows', 'k3y\r\n', 'k3y'],
  ['of several lines', '-----BEGIN\nabc\n-----END\n', '-----BEGIN\nabc\n-----END'],
  ['in any script', 'schlüssel-東京', 'schlüssel-東京'],
])('a value %s is its text', async (_, stored, value) => {
  fake.versions.set(NAME, text(stored));
  expect(await secrets.access(NAME)).toBe(value);
});

it('the checksum is CRC-32C (RFC 3720, B.4)', () => {
  expect(crc32c(new Uint8Array(32)).toString(16)).toBe('8a9136aa');
  expect(crc32c(text('123456789')).toString(16)).toBe('e3069283');
});
