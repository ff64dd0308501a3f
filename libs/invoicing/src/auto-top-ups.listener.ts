import {
  autoTopUpFellDue,
  autoTopUpOrdered,
  autoTopUpOutdated,
  type EventEnvelope,
  invoicePaid,
  invoicePaymentFailed,
  invoiceVoided,
  type PayloadOf,
} from '@drawdown/contracts';
import { AfterCommit, InTransaction, type Tx } from '@drawdown/platform';
import { Injectable } from '@nestjs/common';
import { AutoTopUps } from './auto-top-ups.service.js';

/** What becomes of credits that wallets buy by themselves. */
@Injectable()
export class AutoTopUpsListener {
  constructor(private readonly autoTopUps: AutoTopUps) {}

  @InTransaction(autoTopUpFellDue)
  considerBuying(tx: Tx, payload: PayloadOf<typeof autoTopUpFellDue>): Promise<void> {
    return this.autoTopUps.consider(tx, payload);
  }

  @InTransaction(autoTopUpOutdated)
  withdrawTheOrder(tx: Tx, payload: PayloadOf<typeof autoTopUpOutdated>): Promise<void> {
    return this.autoTopUps.withdraw(tx, payload.invoice_id);
  }

  @InTransaction(invoicePaid)
  tellThatItIsPaid(tx: Tx, payload: PayloadOf<typeof invoicePaid>): Promise<void> {
    return this.autoTopUps.paid(tx, payload.invoice_id);
  }

  @InTransaction(invoicePaymentFailed)
  tellThatItWasDeclined(tx: Tx, payload: PayloadOf<typeof invoicePaymentFailed>): Promise<void> {
    return this.autoTopUps.declined(tx, payload.invoice_id, payload.reason);
  }

  @InTransaction(invoiceVoided)
  tellThatItIsVoid(tx: Tx, payload: PayloadOf<typeof invoiceVoided>): Promise<void> {
    return this.autoTopUps.voided(tx, payload.invoice_id);
  }

  @AfterCommit(autoTopUpOrdered)
  chargeTheSavedCard(payload: PayloadOf<typeof autoTopUpOrdered>, envelope: EventEnvelope): Promise<void> {
    const { tenantId, environmentId, id } = envelope;
    return this.autoTopUps.charge({ tenantId, environmentId }, payload, id);
  }
}
