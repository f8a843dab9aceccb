/** How a simulated org is set up. */
export interface SalesforceOptions {
  /** A folder for the certificate that clients must trust (`salesforce-ca.pem`). */
  readonly stateDir: string;
  /** 0 (default) takes any free port. */
  readonly httpPort: number;
  readonly grpcPort: number;
  readonly clientId: string;
  readonly clientSecret: string;
  /** Whom the JWT bearer flow may act for, and the public key (SPKI, PEM) its assertions are signed for. */
  readonly username: string;
  readonly jwtPublicKey: string | null;
  /** How long a token lives; null: until sessions are expired by control. */
  readonly sessionMs: number | null;
  /** REST and Bulk requests a day. */
  readonly dailyRequests: number;
  /** Rows of a query reply where the client asks for no other number. */
  readonly batchSize: number;
  /** How often a job is asked for before it is complete. */
  readonly jobPolls: number;
  /** Rows of a page of results where the client asks for no other number, and of each of the `resultPages`. */
  readonly resultRows: number;
  /** The two shapes in which the service has been seen to list result pages; `none` answers 404. */
  readonly resultPages: 'resultPages' | 'resultChunks' | 'none';
  /** Whether an empty result has its header row. */
  readonly emptyHasHeader: boolean;
  /** A stream without events gets an empty reply this often. */
  readonly keepaliveMs: number;
  /** Events delivered to all clients within the org's day; null: no limit. */
  readonly eventAllowance: number | null;
}

export const DEFAULTS: Omit<SalesforceOptions, 'stateDir'> = {
  httpPort: 0,
  grpcPort: 0,
  clientId: 'simulated-salesforce-client',
  clientSecret: 'simulated-salesforce-secret',
  username: 'integration@brightwater.example',
  jwtPublicKey: null,
  sessionMs: null,
  dailyRequests: 5_000_000,
  batchSize: 2_000,
  jobPolls: 2,
  resultRows: 50_000,
  resultPages: 'resultPages',
  emptyHasHeader: true,
  keepaliveMs: 270_000,
  eventAllowance: null,
};

/** API versions the org answers to. */
export const VERSIONS = ['58.0', '59.0', '60.0', '61.0', '62.0', '63.0', '64.0'] as const;
