/** Bodies of answers: read with a bound, and numbers kept as the digits that were sent. */
import { InvalidMessage, Transient } from '../errors.ts';
import type { VendorResponse } from '../ports/vendor.ts';
import { plainDecimal } from './decimal.ts';

export const JSON_LIMIT_BYTES = 64 * 1024 * 1024;

/** Reads the whole body as UTF-8. Throws `InvalidMessage` (`too_large`) beyond the bound, and stops reading there. */
export async function readText(response: VendorResponse, limitBytes: number = JSON_LIMIT_BYTES): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  let bytes = 0;
  for await (const chunk of response.body) {
    bytes += chunk.byteLength;
    if (bytes > limitBytes)
      throw new InvalidMessage(
        'too_large',
        `An answer has more than ${limitBytes} bytes: ask for fewer records at once.`,
      );
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

/** Reads a JSON body. What is not JSON (a proxy's page, a cut body) is `Transient`: the same request, later, may be answered. */
export async function readJson(response: VendorResponse, limitBytes: number = JSON_LIMIT_BYTES): Promise<unknown> {
  const text = await readText(response, limitBytes);
  try {
    return parseExact(text);
  } catch (cause) {
    throw new Transient(
      'not_json',
      'An answer is not JSON: something stands between us and the source, or it was cut.',
      {
        cause,
      },
    );
  }
}

type Reviver = (key: string, value: unknown, context: { readonly source?: string }) => unknown;

/** Like `JSON.parse`, but every number becomes its decimal text in one form: 1000.50 is '1000.5', and no digit is lost. */
export function parseExact(text: string): unknown {
  const exact: Reviver = (_key, value, { source }) =>
    typeof value === 'number' ? plainDecimal(source ?? String(value)) : value;
  return JSON.parse(text, exact as (key: string, value: unknown) => unknown);
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
