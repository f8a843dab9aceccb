/** Opportunities, and what their stage implies. */
import { recordId } from '../ids.ts';
import * as pools from '../pools.ts';
import { date, type Generators, type Row } from '../row.ts';
import { sometimesAwkward, SYSTEM, userId } from './common.ts';

interface Stage {
  readonly Probability: number;
  readonly IsClosed: boolean;
  readonly IsWon: boolean;
  readonly ForecastCategory: string;
}

/** What Salesforce derives from a stage. */
export function stageFacts(stage: string): Stage {
  const index = pools.STAGES.indexOf(stage);
  const IsClosed = stage.startsWith('Closed');
  const IsWon = stage === 'Closed Won';
  return {
    Probability: IsWon ? 100 : IsClosed ? 0 : 10 + Math.max(index, 0) * 20,
    IsClosed,
    IsWon,
    ForecastCategory: IsWon ? 'Closed' : IsClosed ? 'Omitted' : 'Pipeline',
  };
}

const stage = (row: Row): string => row.pick(pools.STAGES, 1);
const facts = (row: Row): Stage => stageFacts(stage(row));
const amount = (row: Row): number | null => (row.perMille(150, 2) ? null : (row.mix(3) % 50_000_000) / 100);

export const OPPORTUNITY: Generators = {
  Id: (row) => recordId('Opportunity', row.index),
  ...SYSTEM,
  AccountId: (row) => recordId('Account', row.mix(4) % row.shape.accounts),
  IsPrivate: () => false,
  Name: sometimesAwkward(
    (row) => `${row.pick(pools.COMPANY_SECOND, 5)} - ${row.pick(['New', 'Renewal', 'Upsell'], 6)}`,
    2,
  ),
  Description: sometimesAwkward(() => null, 4),
  StageName: stage,
  Amount: amount,
  Probability: (row) => facts(row).Probability,
  ExpectedRevenue: (row) => {
    const value = amount(row);
    return value === null ? null : Math.round(value * facts(row).Probability) / 100;
  },
  CloseDate: (row) => date(row.shape.epochMs + ((row.mix(7) % 700) - 350) * 86_400_000),
  Type: (row) => (row.perMille(400, 8) ? null : row.pick(['New Customer', 'Existing Customer - Upgrade'], 9)),
  NextStep: (row) => (row.perMille(700, 10) ? null : 'Send the "final" offer'),
  LeadSource: (row) => (row.perMille(500, 11) ? null : row.pick(pools.LEAD_SOURCES, 12)),
  IsClosed: (row) => facts(row).IsClosed,
  IsWon: (row) => facts(row).IsWon,
  ForecastCategory: (row) => facts(row).ForecastCategory,
  ForecastCategoryName: (row) => facts(row).ForecastCategory,
  OwnerId: (row) => userId(row, 13),
};
