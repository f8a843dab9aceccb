/** Every test of the project `google` is skipped, with the reason, where one of the stand-ins is missing. */
import { beforeEach, inject } from 'vitest';

process.env['METADATA_SERVER_DETECTION'] = 'none';

beforeEach((context) => {
  const google = inject('google');
  if (google !== null && google !== undefined && 'missing' in google) context.skip(google.missing);
});
