import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Two cores: more workers only make the child-process tests slower.
    maxWorkers: 2,
    // Real processes and servers on a machine that stalls: once more, and the report says which were repeated.
    retry: process.env['CI'] === undefined ? 0 : 1,
    reporters: ['default'],
  },
});
