import { beforeAll, describe, expect, it } from '@jest/globals';
import { startModules, type Modules } from '../support/modules.js';
import { amounts, Story, type Subscriber } from './story.js';

/** The table at the end of MEANING ("The example, day by day"), both columns, no card. */
let modules: Modules;
let story: Story;
const columns = {} as Record<'anniversary' | 'calendar' | 'prorated', Subscriber>;
const each = async (check: (subscriber: Subscriber, column: keyof typeof columns) => Promise<void>) => {
  for (const column of Object.keys(columns) as (keyof typeof columns)[]) await check(columns[column], column);
};

beforeAll(async () => {
  modules = await startModules({ at: '2026-01-10T09:00:00Z' });
  story = new Story(modules);
  await story.defineStarter();
  columns.anniversary = await story.subscribe('anniversary');
  columns.calendar = await story.subscribe('calendar', { billing_cycle: 'calendar' });
  columns.prorated = await story.subscribe('prorated', {
    billing_cycle: 'calendar',
    proration_behavior: 'create_prorations',
  });
});

describe('10 January 09:00', () => {
  it('starts a trial with 100 credits in an opened wallet and no invoice', () =>
    each(async (subscriber) => {
      expect((await subscriber.subscription()).subscription_status).toBe('trialing');
      expect(await subscriber.balance()).toBe('100');
      expect(await subscriber.invoices()).toEqual([]);
    }));

  it('burns nothing for 5 free tables, 30 for 20 rows, nothing for the same event again, 10 for the sixth table', () =>
    each(async (subscriber) => {
      expect(await subscriber.tables(5)).toEqual(['0', '0', '0', '0', '0']);
      expect(await subscriber.balance()).toBe('100');
      const enriched = await subscriber.send('contact_enrich', { rows: '20' });
      expect([enriched.status, enriched.credits_burned, await subscriber.balance()]).toEqual(['accepted', '30', '70']);
      const again = await subscriber.send('contact_enrich', { rows: '20' }, { event_id: enriched.event_id });
      expect([again.status, again.credits_burned, await subscriber.balance()]).toEqual(['duplicate', '0', '70']);
      expect(await subscriber.tables(1)).toEqual(['10']);
      expect(await subscriber.balance()).toBe('60');
    }));

  it('does not count a table that failed', () =>
    each(async (subscriber) => {
      const failed = await subscriber.send('table_create', { status: 'failed' });
      expect([failed.credits_burned, await subscriber.balance()]).toEqual(['0', '60']);
    }));
});

describe('24 January 09:00', () => {
  let happened: string[];
  beforeAll(async () => {
    happened = await modules.advanceTo('2026-01-24T09:00:00Z');
  });

  it('says what happened and nothing else', () => {
    const perCustomer = [
      'subscription.period_closed',
      'subscription.activated',
      'subscription.period_opened',
      'invoice.drafted',
      'credit_grant.due',
      'credits.added',
    ];
    expect([...happened].sort()).toEqual([...perCustomer, ...perCustomer, ...perCustomer].sort());
  });

  it('begins paid time with the monthly credits; the trial credits are unusable but still in the ledger', () =>
    each(async (subscriber, column) => {
      const credits = column === 'prorated' ? '491.935483870968' : '2000';
      expect((await subscriber.subscription()).subscription_status).toBe('active');
      expect(await subscriber.balance()).toBe(credits);
      expect(amounts(await subscriber.ledger())).toEqual(amounts(column === 'prorated' ? '551.935483870968' : '2060'));
    }));

  it('drafts the fee with the usage of the trial, due nothing', () =>
    each(async (subscriber, column) => {
      const invoices = await subscriber.invoices();
      expect(invoices.map((invoice) => invoice.invoice_status)).toEqual(['DRAFT']);
      const [draft] = invoices;
      expect(amounts(draft!.amount_due)).toEqual(amounts(column === 'prorated' ? '36.65' : '149'));
      const usage = draft!.line_items.filter((line) => line.price_type === 'USAGE');
      expect(
        usage.map((line) => amounts(line.quantity, line.amount, line.prepaid_credits_applied).join(' ')).sort(),
      ).toEqual(['20 30 30', '6 10 10']);
    }));
});

describe('24 January 10:00', () => {
  it('writes off the 60 and finalizes', async () => {
    const happened = await modules.advanceTo('2026-01-24T10:00:00Z');
    expect(happened.filter((event) => event === 'credits.written_off')).toHaveLength(3);
    expect(happened.filter((event) => event === 'invoice.finalized')).toHaveLength(3);
    await each(async (subscriber, column) => {
      const invoice = await subscriber.lastInvoice();
      expect(invoice.invoice_status).toBe('FINALIZED');
      expect(amounts(invoice.amount_due)).toEqual(amounts(column === 'prorated' ? '36.65' : '149'));
      expect(await subscriber.ledger()).toBe(column === 'prorated' ? '491.935483870968' : '2000');
    });
  });

  it('gives gap-free numbers', async () => {
    const numbers: string[] = [];
    await each(async (subscriber) => void numbers.push(String((await subscriber.lastInvoice()).invoice_number)));
    expect(numbers.sort()).toEqual(['INV-202601-00001', 'INV-202601-00002', 'INV-202601-00003']);
  });
});

describe('the paid month', () => {
  beforeAll(async () => {
    await each(async (subscriber) => subscriber.pay(await subscriber.lastInvoice()));
    // The calendar columns first come to their first whole month, February.
    await modules.advanceTo('2026-02-01T01:00:00Z');
    for (const column of ['calendar', 'prorated'] as const)
      await columns[column].pay(await columns[column].lastInvoice());
  });

  it('covers 2,000 of 1,500 rows with credits and is 250 short', () =>
    each(async (subscriber) => {
      expect(await subscriber.balance()).toBe('2000');
      expect(await subscriber.enrich(1500)).toEqual(['2000']);
      expect(await subscriber.balance()).toBe('0');
    }));

  it('ends with 2,000 new credits, which do not pay the 250 of the old period', async () => {
    await modules.advanceTo('2026-02-24T09:00:00Z');
    expect(await columns.anniversary.balance()).toBe('2000');
    await modules.advanceTo('2026-02-24T10:00:00Z');
    await modules.advanceTo('2026-03-01T00:00:00Z');
    expect(await columns.calendar.balance()).toBe('2000');
    expect(await columns.prorated.balance()).toBe('2000');
    await modules.advanceTo('2026-03-01T01:00:00Z');
  });

  it('is billed 149 + 250 = 399 with 2,000 credits applied', () =>
    each(async (subscriber) => {
      const invoice = await subscriber.lastInvoice();
      expect(invoice.invoice_status).toBe('FINALIZED');
      expect(amounts(invoice.amount_due, invoice.total_prepaid_credits_applied)).toEqual(amounts('399', '2000'));
    }));
});
