/** What can be known to be wrong before anything is sent: refuse to start, and say what would be right. */
import type { ConfigOf } from '#core/config.ts';
import { Misconfigured } from '#core/errors.ts';
import type { CONFIG } from './config.ts';
import { checkExtraFields, configuredObjects } from './objects.ts';

type Config = ConfigOf<typeof CONFIG>;

export function checkConfig(config: Config): void {
  configuredObjects(config['salesforce.objects']);
  checkExtraFields(config['salesforce.extraFields']);
  checkVersion(config['salesforce.apiVersion']);
  checkCredentials(config);
  for (const name of ['salesforce.instanceUrl', 'salesforce.loginUrl'] as const) checkUrl(name, config[name]);
}

/** Before 58 there are no result pages to read in parallel, and much else is older than what was tested. */
function checkVersion(version: string): void {
  if (!/^\d{2,3}\.0$/.test(version) || Number(version) < 58)
    throw new Misconfigured('api_version', 'salesforce.apiVersion must be 58.0 or later, written like 62.0.');
}

function checkCredentials(config: Config): void {
  const hasKey = config['salesforce.privateKey'] !== null;
  if (hasKey && config['salesforce.username'] === null)
    throw new Misconfigured('no_username', 'salesforce.privateKey needs salesforce.username: the user to act as.');
  if (!hasKey && config['salesforce.clientSecret'] === null && config['salesforce.refreshToken'] === null)
    throw new Misconfigured(
      'no_credentials',
      'Set salesforce.clientSecret, or salesforce.refreshToken, or salesforce.privateKey with salesforce.username.',
    );
}

/** A token in plain text is anybody's: only within one machine. */
function checkUrl(name: string, text: string | null): void {
  if (text === null) return;
  const { protocol, hostname } = new URL(text);
  if (protocol !== 'https:' && !(protocol === 'http:' && isLoopback(hostname)))
    throw new Misconfigured('insecure_url', `${name} must begin with https://; http:// is for this machine only.`);
}

export function isLoopback(hostname: string): boolean {
  return ['127.0.0.1', 'localhost', '[::1]'].includes(hostname);
}
