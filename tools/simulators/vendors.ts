/** The vendors that can be simulated. A new one is one entry here: how it starts, and its part of the control door. */
import { controlDialpad } from './control/dialpad.ts';
import { controlSalesforce, salesforceState } from './control/salesforce.ts';
import type { Controlled } from './control/server.ts';
import { openDialpad } from './dialpad/index.ts';
import { startSalesforce, type StartOptions } from './salesforce/start.ts';
import type { World } from './world/index.ts';

export interface Vendor {
  /** What an operator of the real thing would be told. */
  readonly addresses: Readonly<Record<string, string>>;
  readonly controlled: Controlled;
  close(): Promise<void>;
}

export interface VendorOptions {
  readonly stateDir: string;
  readonly salesforce?: Partial<StartOptions>;
}

export const VENDORS: Readonly<Record<string, (world: World, options: VendorOptions) => Promise<Vendor>>> = {
  async salesforce(world, { stateDir, salesforce = {} }) {
    const org = await startSalesforce(world, { stateDir, ...salesforce });
    const controlled: Controlled = {
      name: 'salesforce',
      mount: (app) => controlSalesforce(app, org),
      state: () => salesforceState(org),
      isBusy: () => false,
    };
    return { addresses: { ...org.urls }, controlled, close: () => org.close() };
  },
  async dialpad(world) {
    const company = await openDialpad(world);
    const { baseUrl, apiKey, companyId, webhookSecret } = company;
    const controlled: Controlled = {
      name: 'dialpad',
      mount: (app) => controlDialpad(app, company),
      state: () => ({ calls: company.simulator.company.concludedCalls.length }),
      isBusy: () => company.isBusy,
    };
    return { addresses: { baseUrl, apiKey, companyId, webhookSecret }, controlled, close: () => company.close() };
  },
};
