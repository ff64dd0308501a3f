import { describe, expect, it } from '@jest/globals';
import { startModules } from '../support/modules.js';
import { amounts, Story } from './story.js';

describe('advancing by 400 days in one call', () => {
  it('bills every monthly period once and does nothing when called again', async () => {
    const modules = await startModules({ at: '2026-01-10T09:00:00Z' });
    const story = new Story(modules);
    await story.defineStarter(0);
    const subscriber = await story.subscribe('long');
    const happened = await modules.advanceTo('2027-02-14T09:00:00Z');
    expect(happened.filter((event) => event === 'invoice.finalized')).toHaveLength(13);
    expect(await modules.advanceTo('2027-02-14T09:00:00Z')).toEqual([]);
    const invoices = await subscriber.invoices();
    const periods = invoices.map(
      (invoice) => invoice.line_items.find((line) => line.price_type === 'FIXED')!.period_start,
    );
    expect(new Set(periods).size).toBe(14);
    expect(invoices.map((invoice) => amounts(invoice.total)[0])).toEqual(Array.from({ length: 14 }, () => '149'));
  });
});
