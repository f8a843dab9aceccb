import { describe, expect, it } from 'vitest';
import { parse } from 'csv-parse/sync';
import { csvScanner } from '#services/ingest-salesforce/decode/csv.ts';
import { seededRandom, seedFromEnvironment } from '#test/kit/random.ts';

function scan(columns: number, pieces: readonly string[]): string[][] {
  const rows: string[][] = [];
  const scanner = csvScanner(columns);
  for (const piece of pieces) scanner.push(piece, (cells) => rows.push([...cells]));
  scanner.end((cells) => rows.push([...cells]));
  return rows;
}

describe('the CSV scanner', () => {
  it.each([
    ['inside quotes', '"Id","Name"\n"1","open'],
    ['inside a longer row', '"Id","Name"\n"1"'],
    ['inside a row of bare cells', 'Id,Name\n1'],
  ])('says so when the text ends %s', (_where, text) => {
    expect(() => scan(2, [text])).toThrow(expect.objectContaining({ code: expect.stringMatching(/_csv$/) as string }));
  });

  it.each([
    ['too few cells', 'a,b\n1\n'],
    ['too many cells', 'a,b\n1,2,3\n'],
    ['text after a closing quote', 'a,b\n"1"x,2\n'],
  ])('refuses %s', (_what, text) => {
    expect(() => scan(2, [text])).toThrow(expect.objectContaining({ code: 'malformed_csv' }));
  });

  it('has nothing to say about nothing, nor about a header alone', () => {
    expect(scan(2, [''])).toEqual([]);
    expect(scan(2, ['"Id","Name"\n'])).toEqual([['Id', 'Name']]);
  });

  it('takes a last row without its line end, CRLF and LF, doubled quotes and line breaks in quotes', () => {
    const text = '"Id","Name"\r\n"1","a ""b"""\n"2","line\none\r\ntwo"\n"3",""';
    expect(scan(2, [text])).toEqual([
      ['Id', 'Name'],
      ['1', 'a "b"'],
      ['2', 'line\none\r\ntwo'],
      ['3', ''],
    ]);
  });

  it('reads what a well-kept parser reads, wherever the text is cut', () => {
    const random = seededRandom(seedFromEnvironment(20_261_105));
    const alphabet = ['a', 'ü', '😀', '"', ',', '\n', '\r\n', ' ', "'", '\\', ''];
    for (let round = 0; round < 300; round += 1) {
      const columns = 2 + random.below(4);
      const rows = Array.from({ length: 1 + random.below(6) }, () =>
        Array.from({ length: columns }, () =>
          Array.from({ length: random.below(6) }, () => random.pick(alphabet)).join(''),
        ),
      );
      const text =
        rows.map((row) => row.map((cell) => `"${cell.replaceAll('"', '""')}"`).join(',')).join('\n') +
        (random.chance(0.5) ? '\n' : '');
      const pieces: string[] = [];
      for (let at = 0; at < text.length;) {
        const length = 1 + random.below(7);
        pieces.push(text.slice(at, at + length));
        at += length;
      }
      expect(scan(columns, pieces), `seed ${random.seed}, round ${round}: ${JSON.stringify(text)}`).toEqual(
        parse(text),
      );
    }
  });
});
