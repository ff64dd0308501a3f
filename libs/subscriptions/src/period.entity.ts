import { owned } from '@drawdown/platform';
import { defineEntity, p } from '@mikro-orm/core';

export const PERIOD_KINDS = ['trial', 'paid'] as const;

const PeriodSchema = defineEntity({
  name: 'Period',
  tableName: 'subscription_period',
  properties: {
    ...owned,
    subscriptionId: p.string(),
    customerId: p.string(),
    /** 1, 2, 3 … within the subscription. */
    number: p.integer(),
    kind: p.enum(PERIOD_KINDS),
    startAt: p.datetime(),
    /** `[startAt, endAt)`; a cancellation brings the end forward. */
    endAt: p.datetime(),
    /** The full period of which this is a part; equal to it when it is whole. */
    wholeStart: p.datetime(),
    wholeEnd: p.datetime(),
    /** It was cut short, and the advance fees of the time cut off are given back. */
    restCredited: p.boolean(),
    status: p.enum(['open', 'closed'] as const),
  },
});

/** A trial, or a billing period of paid time. The periods of a subscription tile its time without gap or overlap. */
export class Period extends PeriodSchema.class {}
PeriodSchema.setClass(Period);
