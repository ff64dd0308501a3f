import { beforeAll, describe, expect, it } from '@jest/globals';
import { startModules, type Modules } from '../support/modules.js';
import { Story, type Subscriber } from './story.js';

/** No card: the first invoice is unpaid at its due date, the recurring credits wait, and paying brings them. */
describe('a subscription that falls behind and recovers', () => {
  let modules: Modules;
  let story: Story;
  let buyer: Subscriber;
  beforeAll(async () => {
    modules = await startModules({ at: '2026-01-10T00:00:00Z' });
    story = new Story(modules);
    await story.defineStarter(0);
    buyer = await story.subscribe('late-payer');
  });

  it('is past due seven days after the invoice, and its credits stay usable', async () => {
    expect(await modules.advanceTo('2026-01-17T00:00:00Z')).toEqual([
      'invoice.fell_due',
      'subscription.past_due',
      'dunning.started',
    ]);
    expect((await buyer.subscription()).subscription_status).toBe('past_due');
    expect(await buyer.balance()).toBe('2000');
  });

  it('gets no further recurring credits while it is past due', async () => {
    await modules.advanceTo('2026-03-20T00:00:00Z');
    expect(await buyer.balance()).toBe('0');
    expect(await buyer.enrich(1000)).toEqual(['0']);
  });

  it('gets them when it has paid, each as of its own month: what expired before pays nothing of this one', async () => {
    for (const invoice of await buyer.invoices()) {
      if (invoice.invoice_status === 'FINALIZED' && invoice.payment_status !== 'SUCCEEDED') await buyer.pay(invoice);
    }
    expect((await buyer.subscription()).subscription_status).toBe('active');
    expect(await buyer.balance()).toBe('500');
  });
});
