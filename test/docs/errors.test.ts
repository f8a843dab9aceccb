import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');
const FOLDERS = ['core', 'services', 'adapters', 'runtime', 'cli'];

/** A code is the first argument of an error's or dead letter's constructor, or what `code:` is given. */
const PATTERNS = [
  /\b(?:Transient|InvalidMessage|Unauthorized|Misconfigured|Stale|OperationFailed|deadLetter)\(\s*'([a-z0-9_]+)'/g,
  /\bcode: '([a-z0-9_]+)'/g,
  /#park\(message, '([a-z0-9_]+)'/g,
];
/** Given by a base class or function rather than where it is thrown. */
const ELSEWHERE = ['dependency_down', 'unexpected', 'unreadable'];

function codesInSource(): ReadonlySet<string> {
  const found = new Set(ELSEWHERE);
  for (const folder of FOLDERS)
    for (const file of globSync(`${folder}/**/*.ts`, { cwd: ROOT })) {
      const text = readFileSync(join(ROOT, file), 'utf8');
      for (const pattern of PATTERNS) for (const [, code = ''] of text.matchAll(pattern)) found.add(code);
    }
  return found;
}

/** Those whose rest is the vendor's word end in `…` and are left out. */
function codesInManual(): readonly string[] {
  const text = readFileSync(join(ROOT, 'docs/errors.md'), 'utf8');
  return [...text.matchAll(/^\| `([a-z0-9_]+)`/gm)].map(([, code = '']) => code);
}

describe('docs/errors.md', () => {
  it('has every code of the source code, and no other', () => {
    expect([...codesInManual()].sort()).toEqual([...codesInSource()].sort());
  });

  it('has each once', () => {
    expect(new Set(codesInManual()).size).toBe(codesInManual().length);
  });
});
