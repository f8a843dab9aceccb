export * from '#tools/emulators/pubsub.ts';
