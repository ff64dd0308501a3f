import {
  disputeChanged,
  type EventEnvelope,
  type PayloadOf,
  refundLeftOpen,
  refundReported,
  refundSettled,
} from '@drawdown/contracts';
import { AfterCommit, InTransaction, type Tx } from '@drawdown/platform';
import { Injectable } from '@nestjs/common';
import { Disputes } from './disputes.service.js';
import { Refunding } from './refunding.service.js';

/** What invoicing does when it hears of money that goes back. */
@Injectable()
export class ReversalsListener {
  constructor(
    private readonly refunding: Refunding,
    private readonly disputes: Disputes,
  ) {}

  @InTransaction(refundSettled)
  settleTheRefund(tx: Tx, payload: PayloadOf<typeof refundSettled>): Promise<void> {
    return this.refunding.settled(tx, payload.refund_id, payload.outcome);
  }

  @InTransaction(refundReported)
  recordTheRefund(tx: Tx, payload: PayloadOf<typeof refundReported>): Promise<void> {
    return this.refunding.reported(tx, payload);
  }

  @InTransaction(disputeChanged)
  recordTheDispute(tx: Tx, payload: PayloadOf<typeof disputeChanged>): Promise<void> {
    return this.disputes.changed(tx, payload);
  }

  @AfterCommit(refundLeftOpen)
  askTheGateway(payload: PayloadOf<typeof refundLeftOpen>, envelope: EventEnvelope): Promise<void> {
    const { tenantId, environmentId } = envelope;
    return this.refunding.carryOn({ tenantId, environmentId }, payload.refund_id);
  }
}
