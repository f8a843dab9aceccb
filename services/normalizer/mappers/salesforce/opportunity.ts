import { beyond, defineMapper } from '../../mapper.ts';
import { day, decimal, flag, instant, text } from '../../rules.ts';

export default defineMapper({
  source: 'salesforce',
  entity: 'opportunity',
  ignores: ['Id', 'IsDeleted'],
  objects: {
    Opportunity: {
      account_id: text('AccountId'),
      owner_id: text('OwnerId'),
      name: text('Name'),
      stage: text('StageName'),
      amount: decimal('Amount'),
      probability: decimal('Probability'),
      close_date: day('CloseDate'),
      type: text('Type'),
      next_step: text('NextStep'),
      lead_source: text('LeadSource'),
      is_closed: flag('IsClosed'),
      is_won: flag('IsWon'),
      forecast_category: text('ForecastCategory'),
      campaign_id: text('CampaignId'),
      description: text('Description'),
      created_at: instant('CreatedDate'),
      modified_at: instant('SystemModstamp'),
      custom_fields: beyond,
    },
  },
});
