/**
 * Lines as Cloud Logging reads them from a container's standard output: https://cloud.google.com/logging/docs/structured-logging
 * What is an error is also an event of Error Reporting, which wants to know the service:
 * https://cloud.google.com/error-reporting/docs/formatting-error-messages
 */
import type { LoggerOptions } from 'pino';

export interface CloudFormat {
  readonly service: string;
  readonly version: string;
  /** Whose traces they are; null where it is not known. */
  readonly project: string | null;
  /** The trace of what is being done, 32 hexadecimal digits, if it is known. */
  readonly trace?: () => string | undefined;
}

const SEVERITIES: Readonly<Record<string, string>> = {
  trace: 'DEBUG',
  debug: 'DEBUG',
  info: 'INFO',
  warn: 'WARNING',
  error: 'ERROR',
  fatal: 'CRITICAL',
};
const REPORTED = 'type.googleapis.com/google.devtools.clouderrorreporting.v1beta1.ReportedErrorEvent';
const ERROR_LEVEL = 50;

export function cloudOptions({ service, version, project, trace }: CloudFormat): LoggerOptions {
  return {
    base: { serviceContext: { service, version } },
    messageKey: 'message',
    formatters: { level: (label) => ({ severity: SEVERITIES[label] ?? 'DEFAULT' }) },
    mixin: (_fields, level) => {
      const id = project === null ? undefined : trace?.();
      return {
        ...(id === undefined ? {} : { 'logging.googleapis.com/trace': `projects/${project}/traces/${id}` }),
        ...(level < ERROR_LEVEL ? {} : { '@type': REPORTED }),
      };
    },
  };
}
