import { PlatformMigration } from './0001-platform.js';
import { CatalogueMigration } from './0002-catalogue.js';
import { CustomersMigration } from './0003-customers.js';
import { SubscriptionsMigration } from './0004-subscriptions.js';
import { WalletsMigration } from './0005-wallets.js';
import { MeteringMigration } from './0006-metering.js';
import { InvoicingMigration } from './0007-invoicing.js';
import { PaymentsMigration } from './0008-payments.js';
import { StripeMigration } from './0009-stripe.js';

/** The one ordered history of the database. A released migration never changes; corrections are new ones. */
export const migrations = [
  { name: '0001-platform', class: PlatformMigration },
  { name: '0002-catalogue', class: CatalogueMigration },
  { name: '0003-customers', class: CustomersMigration },
  { name: '0004-subscriptions', class: SubscriptionsMigration },
  { name: '0005-wallets', class: WalletsMigration },
  { name: '0006-metering', class: MeteringMigration },
  { name: '0007-invoicing', class: InvoicingMigration },
  { name: '0008-payments', class: PaymentsMigration },
  { name: '0009-stripe', class: StripeMigration },
];
