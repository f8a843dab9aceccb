import { describe, expect, it } from 'vitest';
import { environmentName, parseConfig, type ConfigSpec } from '#core/config.ts';

const SPEC = {
  'source.url': { kind: 'url', doc: 'Where it is.' },
  'source.secret': { kind: 'text', secret: true, doc: 'What only we know.' },
  'source.everySeconds': {
    kind: 'integer',
    unit: 'seconds',
    default: 300,
    minimum: 1,
    maximum: 900,
    doc: 'How often.',
  },
  'source.on': { kind: 'boolean', default: false, doc: 'Whether.' },
  'source.mode': { kind: 'text', default: 'calm', choices: ['calm', 'eager'], doc: 'How.' },
  'source.names': { kind: 'list', default: [], doc: 'Which.' },
  'source.file': { kind: 'text', default: null, doc: 'An optional file.' },
} as const satisfies ConfigSpec;

const VALID = { 'source.url': 'https://example.com/', 'source.secret': 'hush' };

describe('configuration', () => {
  it('reports every fault at once, with the variable and what would be right', () => {
    const parsed = parseConfig(SPEC, {
      'source.url': 'nowhere',
      'source.everySeconds': '0',
      'source.on': 'yes',
      'source.mode': 'wild',
    });
    expect(parsed.ok ? [] : parsed.faults).toEqual([
      'source.url (TRIBUTARY_SOURCE_URL) must be an absolute URL. Where it is.',
      'source.secret (TRIBUTARY_SOURCE_SECRET) is required. What only we know.',
      'source.everySeconds (TRIBUTARY_SOURCE_EVERY_SECONDS) must be a whole number of seconds from 1 to 900. How often.',
      'source.on (TRIBUTARY_SOURCE_ON) must be true or false. Whether.',
      'source.mode (TRIBUTARY_SOURCE_MODE) must be one of calm, eager. How.',
    ]);
  });

  it('takes defaults where nothing or nothing but emptiness is given', () => {
    const parsed = parseConfig(SPEC, { ...VALID, 'source.everySeconds': '' });
    expect(parsed).toEqual({
      ok: true,
      config: {
        'source.url': 'https://example.com',
        'source.secret': 'hush',
        'source.everySeconds': 300,
        'source.on': false,
        'source.mode': 'calm',
        'source.names': [],
        'source.file': null,
      },
    });
  });

  it.each(['1e3', '0x10', '12.5', ' 12', '-1', 'NaN', '901', '9007199254740993'])(
    '«%s» is no number of seconds',
    (text) => {
      expect(parseConfig(SPEC, { ...VALID, 'source.everySeconds': text }).ok).toBe(false);
    },
  );

  it('a secret’s value is in no fault', () => {
    const parsed = parseConfig(
      { key: { kind: 'text', secret: true, choices: ['a'], doc: 'A key.' } },
      { key: 'hunter2' },
    );
    expect(JSON.stringify(parsed)).not.toContain('hunter2');
  });

  it.each([
    ['salesforce.instanceUrl', 'TRIBUTARY_SALESFORCE_INSTANCE_URL'],
    ['state.folder', 'TRIBUTARY_STATE_FOLDER'],
    ['dialpad.lookBackHours', 'TRIBUTARY_DIALPAD_LOOK_BACK_HOURS'],
  ])('%s is set by %s', (name, variable) => {
    expect(environmentName(name)).toBe(variable);
  });
});
