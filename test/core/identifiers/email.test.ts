import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import { parseEmail } from '#core/identifiers/email.ts';

describe('what is not one address stays as it was, with the reason', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['nobody', 'no_at_sign'],
    ['<>', 'no_at_sign'],
    ['a@one.example; b@two.example', 'several_addresses'],
    ['a@one.example@two.example', 'several_addresses'],
    ['@acme.example', 'bad_local_part'],
    ['john doe@acme.example', 'bad_local_part'],
    ['.john@acme.example', 'bad_local_part'],
    ['john..doe@acme.example', 'bad_local_part'],
    ['"john doe"@acme.example', 'bad_local_part'],
    [`${'a'.repeat(65)}@acme.example`, 'bad_local_part'],
    ['john@', 'bad_domain'],
    ['john@localhost', 'bad_domain'],
    ['john@acme', 'bad_domain'],
    ['john@acme..example', 'bad_domain'],
    ['john@-acme.example', 'bad_domain'],
    ['john@acme_inc.example', 'bad_domain'],
    ['john@acme.example:25', 'bad_domain'],
    ['john@acme.example/path', 'bad_domain'],
    ['john@acme.example b', 'bad_domain'],
    ['john@192.0.2.1', 'bad_domain'],
    ['john@１９２.0.2.1', 'bad_domain'],
    ['john@[192.0.2.1]', 'bad_domain'],
    [`john@${'a'.repeat(64)}.example`, 'bad_domain'],
    [`john@${'a.'.repeat(130)}example`, 'bad_domain'],
    [`${'x'.repeat(2_000)}@acme.example`, 'too_long'],
  ];
  it.each(cases)('%j is %s', (raw, reason) => {
    expect(parseEmail(raw)).toMatchObject({
      raw,
      valid: false,
      address: null,
      deliveryKey: null,
      domain: null,
      reason,
    });
  });

  it('is null for an absent or blank field', () => {
    for (const raw of [null, '', ' ', '\t\n', ' '.repeat(100_000)]) expect(parseEmail(raw)).toBeNull();
  });
});

describe('the canonical address', () => {
  const cases: readonly (readonly [string, string])[] = [
    [' John.Doe@ACME.example ', 'john.doe@acme.example'],
    ['mailto:john@acme.example?subject=hello@you', 'john@acme.example'],
    ['John Doe <John@acme.example>', 'john@acme.example'],
    ['"Doe, John" <mailto:john@acme.example>', 'john@acme.example'],
    ["'john@acme.example'", 'john@acme.example'],
    ["o'brien@acme.example", "o'brien@acme.example"],
    ['john@acme.example.', 'john@acme.example'],
    ['info@bücher.example', 'info@xn--bcher-kva.example'],
    ['info@BÜCHER.example', 'info@xn--bcher-kva.example'],
    ['info@xn--bcher-kva.example', 'info@xn--bcher-kva.example'],
    ['info@例え。テスト', 'info@xn--r8jz45g.xn--zckzah'],
    ['jose\u0301@acme.example', 'josé@acme.example'],
  ];
  it.each(cases)('of %j is %s', (raw, address) => {
    expect(parseEmail(raw)).toMatchObject({ raw, valid: true, address, reason: 'address' });
  });
});

describe('the delivery key joins only what the provider is known to join', () => {
  const cases: readonly (readonly [string, string | null])[] = [
    ['j.doe+news@gmail.com', 'jdoe@gmail.com'],
    ['jdoe@googlemail.com', 'jdoe@gmail.com'],
    ['+news@gmail.com', '+news@gmail.com'],
    ['J.Doe+news@outlook.com', 'j.doe@outlook.com'],
    ['j.doe+news@hotmail.co.uk', 'j.doe@hotmail.co.uk'],
    ['j.doe+news@icloud.com', 'j.doe@icloud.com'],
    ['j.doe+news@fastmail.fm', 'j.doe@fastmail.fm'],
    ['j.doe+news@proton.me', 'j.doe@proton.me'],
    ['j.doe+news@acme.example', 'j.doe+news@acme.example'],
    ['jdoe@acme.example', 'jdoe@acme.example'],
    ['j.doe@yahoo.com', 'j.doe@yahoo.com'],
    ['j.doe+news@outlook.acme.example', 'j.doe+news@outlook.acme.example'],
    ['bounces+jdoe=acme.example@mailer.example', null],
    ['SRS0=abcd=XY=acme.example=jdoe@forward.example', null],
    ['prvs=1234abcdef=jdoe@acme.example', null],
  ];
  it.each(cases)('%j → %s', (raw, deliveryKey) => {
    expect(parseEmail(raw)).toMatchObject({ valid: true, deliveryKey });
  });
});

describe('flags', () => {
  const cases: readonly (readonly [string, { role?: boolean; freeMail?: boolean; technical?: string | null }])[] = [
    ['info@acme.example', { role: true, freeMail: false }],
    ['No-Reply@acme.example', { role: true }],
    ['support+42@acme.example', { role: true }],
    ['mailer-daemon@acme.example', { role: true }],
    ['jdoe@acme.example', { role: false, freeMail: false, technical: null }],
    ['jdoe@gmail.com', { role: false, freeMail: true }],
    ['jdoe@mail.gmail.com.acme.example', { freeMail: false }],
    ['bounce+1@mailer.example', { technical: 'verp' }],
    ['srs1=x==y=a@forward.example', { technical: 'srs' }],
    ['prvs=0123456789=jdoe@acme.example', { technical: 'batv' }],
  ];
  it.each(cases)('of %j are %j', (raw, flags) => {
    expect(parseEmail(raw)).toMatchObject(flags);
  });
});

describe('for any text', () => {
  const texts = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 300 }),
    fc
      .tuple(fc.string({ unit: 'grapheme', maxLength: 40 }), fc.string({ unit: 'grapheme', maxLength: 40 }))
      .map((parts) => parts.join('@')),
    fc.tuple(fc.string({ unit: 'grapheme', maxLength: 20 }), fc.domain()).map((parts) => parts.join('@')),
    fc.emailAddress(),
  );

  it('never throws, keeps the raw text, and an address parsed again is itself', () => {
    fc.assert(
      fc.property(texts, (raw) => {
        const email = parseEmail(raw);
        if (email === null) return;
        expect(email.raw).toBe(raw);
        expect(email.valid).toBe(email.address !== null);
        if (email.address === null) return;
        expect(parseEmail(email.address)).toEqual({ ...email, raw: email.address });
        if (email.deliveryKey !== null) expect(parseEmail(email.deliveryKey)?.deliveryKey).toBe(email.deliveryKey);
      }),
      { numRuns: 5_000 },
    );
  });

  it('does bounded work on 100 KB of anything', () => {
    for (const unit of ['a', '.', '@', '<', '>', 'a.', '-', '"', 'ü', 'ﷺ', ' ', '+', '=']) {
      for (const length of [250, 1_000, 100_000]) {
        const text = unit.repeat(Math.ceil(length / unit.length)).slice(0, length);
        const started = performance.now();
        for (const raw of [text, `${text}@acme.example`, `a@${text}`, `a@${text}.example`]) parseEmail(raw);
        expect(performance.now() - started).toBeLessThan(500);
      }
    }
  });
});
