/** What this folder's own packages give: an HCL parser, and the provider's types. Kept apart from the root, 310 MB. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const PACKAGES = join(import.meta.dirname, 'node_modules/@cdktf');
export const PROVIDER_TYPES = join(PACKAGES, 'provider-google/lib');
const PARSER = join(PACKAGES, 'hcl2json/lib/index.js');

interface Parser {
  parse(fileName: string, text: string): Promise<unknown>;
}

/** Why the check cannot be made here; null where it can. */
export function missingTypes(): string | null {
  const isThere = existsSync(PROVIDER_TYPES) && existsSync(PARSER);
  return isThere ? null : 'no provider types: npm ci --prefix tools/terraform';
}

export async function loadParser(): Promise<Parser> {
  return (await import(pathToFileURL(PARSER).href)) as Parser;
}
