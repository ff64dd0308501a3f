import { beforeAll, describe, expect, it } from '@jest/globals';
import { startModules, type Modules } from '../support/modules.js';
import { amounts, Story } from './story.js';

describe('calendar billing without a trial, started 10 January at midnight with prorations', () => {
  let modules: Modules;
  let story: Story;
  beforeAll(async () => {
    modules = await startModules({ at: '2026-01-10T00:00:00Z' });
    story = new Story(modules);
    await story.defineStarter(0);
  });

  it('bills 149 x 22/31 = 105.74 at once, then 1 February and 1 March in full', async () => {
    const subscriber = await story.subscribe('calendar', {
      billing_cycle: 'calendar',
      proration_behavior: 'create_prorations',
    });
    await modules.advanceTo('2026-03-01T02:00:00Z');
    const invoices = await subscriber.invoices();
    expect(invoices.map((invoice) => amounts(invoice.total)[0])).toEqual(['105.74', '149', '149']);
    expect(invoices.map((invoice) => invoice.line_items[0]!.period_start)).toEqual([
      '2026-01-10T00:00:00.000Z',
      '2026-02-01T00:00:00.000Z',
      '2026-03-01T00:00:00.000Z',
    ]);
  });

  it('steps from 31 January by anniversary to 28 February, 31 March, 30 April', async () => {
    await modules.advanceTo('2027-01-31T00:00:00Z');
    const subscriber = await story.subscribe('anniversary');
    const starts: string[] = [];
    for (const until of ['2027-02-10', '2027-03-10', '2027-04-10', '2027-05-10']) {
      await modules.advanceTo(`${until}T00:00:00Z`);
      starts.push((await subscriber.subscription()).current_period_start);
    }
    expect(starts).toEqual([
      '2027-01-31T00:00:00.000Z',
      '2027-02-28T00:00:00.000Z',
      '2027-03-31T00:00:00.000Z',
      '2027-04-30T00:00:00.000Z',
    ]);
  });
});
