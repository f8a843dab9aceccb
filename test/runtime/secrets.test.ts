import { describe, expect, it } from 'vitest';
import type { Secrets } from '#adapters/secrets/google.ts';
import { Transient, Unauthorized } from '#core/errors.ts';
import { resolveSecrets } from '#runtime/secrets.ts';
import type { Values } from '#runtime/settings.ts';
import { service } from './cloud/kit.ts';

const SERVICES = [
  service({
    config: {
      'dialpad.apiKey': { kind: 'text', secret: true, doc: 'A key.' },
      'dialpad.webhookSecrets': { kind: 'list', default: [], secret: true, doc: 'Secrets.' },
      'dialpad.baseUrl': { kind: 'url', default: null, doc: 'An address.' },
    },
  }),
];
const SIGNAL = new AbortController().signal;

/** Answers a secret's short name with an exclamation mark. */
function fake(asked: string[] = [], access?: Secrets['access']): () => Promise<Secrets> {
  return async () => ({
    access: access ?? (async (name) => (asked.push(name), `${name.split('/')[3]}!`)),
    close: async () => void asked.push('closed'),
  });
}

function resolved(values: Values, open = fake()): Promise<Values> {
  return resolveSecrets(SERVICES, values, SIGNAL, open);
}

describe('a reference that cannot be resolved', () => {
  it.each([
    ['in a setting that is not secret', { 'dialpad.baseUrl': 'secret://address' }, 'is no secret setting'],
    ['in one of the runtime', { 'gcs.bucket': 'secret://bucket' }, 'is no secret setting'],
    ['without a name', { 'dialpad.apiKey': 'secret://', 'google.project': 'acme' }, 'refers to no secret'],
    ['short, without a project', { 'dialpad.apiKey': 'secret://key' }, 'with google.project'],
    ['with half a path', { 'dialpad.apiKey': 'secret://projects/acme/secrets/key' }, 'refers to no secret'],
    ['in a list', { 'dialpad.webhookSecrets': 'plain, secret://a/b' }, 'refers to no secret'],
  ])('%s is refused before anything is asked', async (_, values, text) => {
    const asked: string[] = [];
    await expect(resolved(values, fake(asked))).rejects.toThrow(text);
    expect(asked).toEqual([]);
  });

  it('is asked for again while Secret Manager does not answer, a few times', async () => {
    let tries = 0;
    const access = async (): Promise<string> => {
      tries += 1;
      throw new Transient('secret_unavailable', 'Secret Manager does not answer.');
    };
    await expect(
      resolved({ 'dialpad.apiKey': 'secret://key', 'google.project': 'acme' }, fake([], access)),
    ).rejects.toMatchObject({ code: 'secret_unavailable' });
    expect(tries).toBe(3);
  });

  it('is asked for once where access is denied, and the client is closed', async () => {
    const asked: string[] = [];
    const access = async (name: string): Promise<string> => {
      asked.push(name);
      throw new Unauthorized('secret_denied', 'Denied.');
    };
    await expect(
      resolved({ 'dialpad.apiKey': 'secret://key', 'google.project': 'acme' }, fake(asked, access)),
    ).rejects.toMatchObject({ code: 'secret_denied' });
    expect(asked).toEqual(['projects/acme/secrets/key/versions/latest', 'closed']);
  });
});

describe('references', () => {
  it('are replaced by what they name, whole or part of a list, each secret asked for once', async () => {
    const asked: string[] = [];
    const whole = 'projects/other/secrets/old/versions/3';
    const values = {
      'google.project': 'acme',
      'dialpad.apiKey': 'secret://key',
      'dialpad.webhookSecrets': `secret://key, secret://${whole}, as it is`,
      'dialpad.baseUrl': 'https://dialpad.example',
    };
    expect(await resolved(values, fake(asked))).toEqual({
      ...values,
      'dialpad.apiKey': 'key!',
      'dialpad.webhookSecrets': 'key!,old!,as it is',
    });
    expect(asked).toEqual(['projects/acme/secrets/key/versions/latest', whole, 'closed']);
  });

  it('where there are none, nothing is opened', async () => {
    const values = { 'dialpad.apiKey': 'k3y' };
    const open = (): never => {
      throw new Error('opened');
    };
    expect(await resolveSecrets(SERVICES, values, SIGNAL, open)).toBe(values);
  });
});
