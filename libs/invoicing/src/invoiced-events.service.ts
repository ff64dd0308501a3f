import { EventTrail } from '@drawdown/metering';
import type { Tx } from '@drawdown/platform';
import { Injectable } from '@nestjs/common';
import { sql } from 'kysely';
import {
  eventInvoiceLineView,
  type EventInvoiceLineRow,
  type EventInvoiceLineView,
  type InvoicedEventView,
} from './invoiced-event.dto.js';

/** Follows an event beyond usage: to the invoice lines that bill it, and who paid them. */
@Injectable()
export class InvoicedEvents {
  constructor(private readonly trail: EventTrail) {}

  /** @throws Problem 404. */
  async follow(tx: Tx, eventId: string): Promise<InvoicedEventView> {
    const trail = await this.trail.follow(tx, eventId);
    const counted = trail.processed_events.flatMap(({ sub_line_item_id: lineItemId, accrual }) =>
      accrual ? { lineItemId, start: accrual.period_start, end: accrual.period_end } : [],
    );
    return Object.assign(trail, { invoice_lines: counted.length > 0 ? await linesOf(tx, counted) : [] });
  }
}

/** The recorded lines of these line items in these periods, of an item that began or ended inside too; oldest first. */
async function linesOf(
  tx: Tx,
  counted: readonly { readonly lineItemId: string; readonly start: string; readonly end: string }[],
): Promise<EventInvoiceLineView[]> {
  const found = await sql<EventInvoiceLineRow>`
    select l.id, l.invoice_id, i.number, i.status, i.payment_status, i.total invoice_due, l.line_item_id,
           l.period_start, l.period_end, l.quantity, l.free_units, l.gross, l.waived, l.credits_applied, l.due,
           array(select id from payment where invoice_id = i.id order by created_at, id) payment_ids
    from unnest(${counted.map((one) => one.lineItemId)}::text[], ${counted.map((one) => one.start)}::timestamptz[],
                ${counted.map((one) => one.end)}::timestamptz[]) c(line_item_id, start_at, end_at)
    join invoice_line l on l.line_item_id = c.line_item_id and l.period_start >= c.start_at and l.period_end <= c.end_at
    join invoice i on i.id = l.invoice_id
    where l.environment_id = ${tx.scope.environmentId} and i.status <> 'DRAFT' and l.commitment is null
    order by i.finalized_at, i.id, l.position`.execute(tx.db);
  return found.rows.map(eventInvoiceLineView);
}
