import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { faultsOf } from '#tools/terraform/check.ts';
import { readConfiguration, readFiles, type Files } from '#tools/terraform/configuration.ts';
import { missingTypes } from '#tools/terraform/library.ts';

const INFRA = join(import.meta.dirname, '../../infra');
const missing = missingTypes();
const hasTerraform = spawnSync('terraform', ['version']).status === 0;

async function check(files: Files): Promise<readonly string[]> {
  return faultsOf(await readConfiguration(files));
}

/** The real files with one place changed; throws where the place is not there. */
function planted(file: string, text: string, instead: string): Files {
  const files = readFiles(INFRA);
  const before = files[file] ?? '';
  if (!before.includes(text)) throw new Error(`${file} has no «${text}».`);
  return { ...files, [file]: before.replace(text, () => instead) };
}

describe.skipIf(missing !== null)(
  `The arguments of infra/*.tf${missing === null ? '' : ` [skipped: ${missing}]`}`,
  () => {
    it.each([
      [
        'an unknown argument',
        'pubsub.tf',
        'ack_deadline_seconds ',
        'ack_deadline_secs ',
        'no argument ack_deadline_secs',
      ],
      [
        'an unknown argument deep inside',
        'services.tf',
        'startup_cpu_boost',
        'startup_boost',
        'no argument startup_boost',
      ],
      ['one inside a dynamic block', 'pubsub.tf', 'encoding = "BINARY"', 'encode = "BINARY"', 'no argument encode'],
      ['a missing required argument', 'bigquery.tf', 'table_id            = each.key', '', 'table_id is required'],
      ['a missing required block', 'secrets.tf', /replication \{[\s\S]*\n {2}\}\n/, '', 'replication is required'],
      [
        'an argument where a block belongs',
        'pubsub.tf',
        'retry_policy {',
        'retry_policy = {',
        'is a block, not an argument',
      ],
      ['an unknown block', 'storage.tf', 'soft_delete_policy {', 'soft_deletion {', 'no argument soft_deletion'],
      [
        'an unknown dynamic block',
        'bigquery.tf',
        'dynamic "time_partitioning"',
        'dynamic "partitioning"',
        'no block partitioning',
      ],
      [
        'a block given twice that may be once',
        'pubsub.tf',
        'expiration_policy {',
        'expiration_policy {\n ttl = ""\n }\n expiration_policy {',
        'may be given once',
      ],
      ['a value that is not listed', 'services.tf', '"MANUAL"', '"BY_HAND"', 'must be one of AUTOMATIC, MANUAL'],
      [
        'text for a truth value',
        'bigquery.tf',
        'use_legacy_sql = false',
        'use_legacy_sql = "never"',
        'must be a boolean',
      ],
      [
        'a list for text',
        'scheduler.tf',
        'time_zone        = "Etc/UTC"',
        'time_zone = ["Etc/UTC"]',
        'must be a string',
      ],
      [
        'a resource the provider has not',
        'pubsub.tf',
        '"google_pubsub_topic" "topic"',
        '"google_pubsub_queue" "topic"',
        'no resource google_pubsub_queue',
      ],
      [
        'a reference to nothing',
        'iam.tf',
        'google_service_account.service[',
        'google_service_account.services[',
        'nothing declares google_service_account.services',
      ],
      ['an attribute a resource has not', 'outputs.tf', '.uri}', '.address}', 'has no attribute address'],
      ['an undeclared variable', 'services.tf', 'var.image', 'var.picture', 'nothing declares var.picture'],
      ['an undeclared local', 'jobs.tf', 'local.deployed', 'local.deploy', 'nothing declares local.deploy'],
      [
        'a variable that nothing uses',
        'variables.tf',
        'variable "labels" {',
        'variable "spare" {}\nvariable "labels" {',
        'var.spare is used by nothing',
      ],
    ] as const)('%s is found', async (_name, file, text, instead, fault) => {
      const place = typeof text === 'string' ? text : (text.exec(readFiles(INFRA)[file] ?? '')?.[0] ?? 'nothing');
      expect((await check(planted(file, place, instead))).join('\n')).toContain(fault);
    });

    it('have no fault', async () => {
      expect(await check(readFiles(INFRA))).toEqual([]);
    });
  },
);

describe.skipIf(!hasTerraform)(`The form of infra/*.tf${hasTerraform ? '' : ' [skipped: no terraform]'}`, () => {
  it('is what terraform fmt makes', () => {
    expect(spawnSync('terraform', ['fmt', '-check', '-list=true', INFRA], { encoding: 'utf8' }).stdout).toBe('');
  });
});
