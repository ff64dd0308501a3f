import { archivable } from '@drawdown/platform';
import { defineEntity, p } from '@mikro-orm/core';

const CustomerSchema = defineEntity({
  name: 'Customer',
  tableName: 'customer',
  properties: {
    ...archivable,
    /** The id the caller's own system knows the customer by; unique among the published ones of an environment. */
    externalId: p.string(),
    name: p.string().nullable(),
    email: p.string().nullable(),
    addressLine1: p.string().nullable(),
    addressLine2: p.string().nullable(),
    addressCity: p.string().nullable(),
    addressState: p.string().nullable(),
    addressPostalCode: p.string().nullable(),
    addressCountry: p.string().nullable(),
    /** IANA zone whose wall clock the periods of later subscriptions go by; each subscription copies it. */
    timezone: p.string(),
    metadata: p.json<Record<string, string>>(),
  },
});

/** Whoever is billed. An archived one is gone for every caller; its row stays because invoices and the ledger name it. */
export class Customer extends CustomerSchema.class {}
CustomerSchema.setClass(Customer);
