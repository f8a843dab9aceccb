/**
 * Where a job's result pages are. `resultPages` names them all beforehand, for parallel download; its answer has two
 * shapes in the wild (the documented `resultPages[].resultUrl`, and `resultChunks[].resultLink`), and what has neither is
 * read page by page, each naming the next in `Sforce-Locator`, whose end is the text `null`.
 */
import { InvalidMessage } from '#core/errors.ts';
import { isRecord } from '#core/vendor/json.ts';
import type { Org } from '../org/org.ts';

/** A page's locator; empty for a first page that needs none. Stable while the job exists, so a page can be read again. */
export type Locator = string;

interface Listing {
  readonly locators: readonly Locator[];
  readonly nextUrl: string | null;
}

/** All pages' locators, or null where they can only be learnt one after another. */
export async function listPages(org: Org, jobId: string, signal: AbortSignal): Promise<readonly Locator[] | null> {
  const locators: Locator[] = [];
  let path: string | null = org.client.data(`jobs/query/${jobId}/resultPages`);
  let query: Readonly<Record<string, string>> = {};
  while (path !== null) {
    const listing = await askPages(org, path, query, signal);
    if (listing === null) return null;
    locators.push(...listing.locators);
    if (listing.nextUrl === null) return new Set(locators).size === locators.length ? locators : null;
    const next: URL = new URL(listing.nextUrl, 'https://org.invalid');
    [path, query] = [next.pathname, Object.fromEntries(next.searchParams)];
  }
  return null;
}

async function askPages(
  org: Org,
  path: string,
  query: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<Listing | null> {
  try {
    const { value } = await org.client.json({ path, query, purpose: 'backfill', signal }, listingOf);
    return value;
  } catch (error) {
    // An API version before 58, or an org that does not offer it.
    if (error instanceof InvalidMessage) return null;
    throw error;
  }
}

function listingOf(value: unknown): Listing | null {
  if (!isRecord(value)) return null;
  const entries = value.resultPages ?? value.resultChunks;
  if (!Array.isArray(entries)) return null;
  const locators = entries.map((entry: unknown) =>
    locatorOf(isRecord(entry) ? (entry.resultUrl ?? entry.resultLink) : entry),
  );
  if (locators.some((locator) => locator === null)) return null;
  const next = value.nextRecordsUrl ?? value.nextRecordUrl ?? null;
  const ended = value.done === true || next === null || next === '';
  if (!ended && typeof next !== 'string') return null;
  return { locators: locators as readonly Locator[], nextUrl: ended ? null : (next as string) };
}

function locatorOf(url: unknown): Locator | null {
  if (typeof url !== 'string' || !URL.canParse(url, 'https://org.invalid')) return null;
  return new URL(url, 'https://org.invalid').searchParams.get('locator') ?? '';
}

/** The locator of the next page, from a page's own headers. */
export function nextLocator(headers: Readonly<Record<string, string>>): Locator | null {
  const text = headers['sforce-locator'];
  return text === undefined || text === '' || text === 'null' ? null : text;
}
