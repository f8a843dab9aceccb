import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openSqliteStore } from '#adapters/store/sqlite.ts';
import { DependencyDown } from '#core/errors.ts';
import { describeStoreContract } from '#test/contract/store.ts';

describeStoreContract('sqlite', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tributary-store-'));
  const path = join(folder, 'state', 'store.sqlite');
  let store = openSqliteStore(path);
  return {
    store,
    reopen: async () => {
      store.close();
      return (store = openSqliteStore(path));
    },
    close: async () => {
      store.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
});

describe('the sqlite store', () => {
  it('fences a second process that has the same file open', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tributary-store-'));
    const [one, two] = [openSqliteStore(join(folder, 's')), openSqliteStore(join(folder, 's'))];
    const generation = (await one.put('lease', 'one', null)) ?? '';
    expect(await two.put('lease', 'two', null)).toBeUndefined();
    expect(await two.put('lease', 'two', generation)).toBeDefined();
    expect(await one.put('lease', 'one', generation)).toBeUndefined();
    one.close();
    two.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('makes its folder for the owner alone', () => {
    const folder = mkdtempSync(join(tmpdir(), 'tributary-store-'));
    openSqliteStore(join(folder, 'state', 's')).close();
    expect(statSync(join(folder, 'state')).mode & 0o777).toBe(0o700);
    rmSync(folder, { recursive: true, force: true });
  });

  it('says that the store is down when its file cannot be opened', () => {
    const folder = mkdtempSync(join(tmpdir(), 'tributary-store-'));
    writeFileSync(join(folder, 'file'), '');
    expect(() => openSqliteStore(join(folder, 'file', 'store.sqlite'))).toThrow(DependencyDown);
    expect(() => openSqliteStore(folder)).toThrow(DependencyDown);
    rmSync(folder, { recursive: true, force: true });
  });
});
