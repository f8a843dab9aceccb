import { defineConfig } from 'vitest/config';

/** The river as a whole: the same files run on the embedded adapters and on Google's. */
const FLOWS = ['dialpad', 'erase', 'events', 'faults', 'poison', 'replay', 'resume', 'salesforce'].map(
  (name) => `test/flow/${name}.test.ts`,
);

const common = {
  testTimeout: 60_000,
  hookTimeout: 60_000,
  // Real processes and servers on a machine that stalls: once more, and the report says which were repeated.
  retry: process.env['CI'] === undefined ? 0 : 1,
};

export default defineConfig({
  test: {
    reporters: ['default'],
    projects: [
      {
        test: {
          ...common,
          name: 'embedded',
          include: ['test/**/*.test.ts'],
          exclude: ['test/cloud/**'],
          // Two cores: more workers only make the child-process tests slower.
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          ...common,
          name: 'google',
          // They mostly wait for one another: emulator, simulator and fake are processes of their own, shared by all.
          maxWorkers: 5,
          sequence: { groupOrder: 1 },
          include: [...FLOWS, 'test/cloud/**/*.test.ts'],
          testTimeout: 180_000,
          globalSetup: ['test/kit/google-setup.ts'],
          setupFiles: ['test/kit/google-or-skip.ts'],
        },
      },
    ],
  },
});
