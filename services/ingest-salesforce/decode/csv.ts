/**
 * A streaming scanner for Bulk API 2.0's CSV: comma, double quotes doubled inside quotes, LF or CRLF, real line breaks
 * inside quotes, a header row on every page. Text comes in pieces cut anywhere; whole rows come out. Hand-written for
 * speed: a row costs one `indexOf` a quoted cell. It takes no row it could not finish, so a cut page shows as a remainder.
 */
import { InvalidMessage } from '#core/errors.ts';

export interface CsvScanner {
  /** Rows completed by this piece. The array of cells is reused: take what is needed before answering. */
  push(text: string, onRow: (cells: readonly string[]) => void): void;
  /** The last row may lack its line end. Throws `InvalidMessage` (`cut_csv`) if it ends inside quotes or has too few cells. */
  end(onRow: (cells: readonly string[]) => void): void;
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const LF = 0x0a;
const CR = 0x0d;
/** A row is scanned again from its start when more text comes; a long one only after its text has doubled. */
const RESCAN_FACTOR = 2;

export function csvScanner(columns: number, rowLimitChars = 16 * 1024 * 1024): CsvScanner {
  const cells: string[] = new Array<string>(columns).fill('');
  let rest = '';
  let pieces: string[] = [];
  let waiting = 0;
  let count = 0;

  /** Scans one row from `start`; answers where the next starts, or -1 if the text ends before the row does. */
  function scanRow(text: string, start: number, final: boolean): number {
    const length = text.length;
    let at = start;
    count = 0;
    for (;;) {
      let value: string;
      if (text.charCodeAt(at) === QUOTE) {
        const end = closingQuote(text, at + 1);
        if (end < 0 || (end + 1 >= length && !final)) return -1;
        value = unquoted(text, at + 1, end);
        at = end + 1;
      } else {
        const end = bareEnd(text, at);
        if (end >= length && !final) return -1;
        value = text.slice(at, end);
        at = end;
      }
      if (count < columns) cells[count] = value;
      count += 1;
      const code = at < length ? text.charCodeAt(at) : LF;
      if (code === COMMA) at += 1;
      else if (code === LF) return at + 1;
      else if (code === CR && at + 1 < length) return at + (text.charCodeAt(at + 1) === LF ? 2 : 1);
      else if (code === CR) return final ? at + 1 : -1;
      else throw new InvalidMessage('malformed_csv', 'A CSV cell goes on after its closing quote.');
    }
  }

  function emit(onRow: (cells: readonly string[]) => void): void {
    if (count === 1 && cells[0] === '' && columns > 1) return;
    if (count !== columns)
      throw new InvalidMessage('malformed_csv', `A CSV row has ${count} cells where ${columns} were asked for.`);
    onRow(cells);
  }

  function scan(text: string, final: boolean, onRow: (cells: readonly string[]) => void): void {
    let start = 0;
    while (start < text.length) {
      const next = scanRow(text, start, final);
      if (next < 0) break;
      emit(onRow);
      start = next;
    }
    rest = start === 0 ? text : text.slice(start);
  }

  return {
    push(text, onRow) {
      pieces.push(text);
      waiting += text.length;
      if (waiting < rest.length * (RESCAN_FACTOR - 1)) return;
      const whole = rest === '' && pieces.length === 1 ? text : rest + pieces.join('');
      pieces = [];
      waiting = 0;
      scan(whole, false, onRow);
      if (rest.length > rowLimitChars)
        throw new InvalidMessage('row_too_large', `A CSV row has more than ${rowLimitChars} characters.`);
    },
    end(onRow) {
      const whole = rest + pieces.join('');
      pieces = [];
      waiting = 0;
      scan(whole, true, onRow);
      if (rest !== '') throw new InvalidMessage('cut_csv', 'The CSV ends in the middle of a row.');
    },
  };
}

/** The index of the quote that closes a cell opened before `from`, or -1. Doubled quotes do not close it. */
function closingQuote(text: string, from: number): number {
  let at = text.indexOf('"', from);
  while (at >= 0 && text.charCodeAt(at + 1) === QUOTE) at = text.indexOf('"', at + 2);
  return at;
}

function unquoted(text: string, start: number, end: number): string {
  const value = text.slice(start, end);
  return value.includes('"') ? value.replaceAll('""', '"') : value;
}

function bareEnd(text: string, from: number): number {
  let at = from;
  for (; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === COMMA || code === LF || code === CR) break;
  }
  return at;
}
