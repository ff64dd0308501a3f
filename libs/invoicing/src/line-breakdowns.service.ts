import { type UsagePart, UsageBreakdowns } from '@drawdown/metering';
import type { Tx } from '@drawdown/platform';
import { Injectable } from '@nestjs/common';
import type { InvoiceLineView } from './invoice-line.dto.js';
import type { GetInvoiceQuery, InvoiceView } from './invoices.dto.js';

/** Which events made the usage lines of an invoice, where it is asked for. */
@Injectable()
export class LineBreakdowns {
  constructor(private readonly breakdowns: UsageBreakdowns) {}

  async added(tx: Tx, invoice: InvoiceView, query: GetInvoiceQuery): Promise<InvoiceView> {
    const bySource = query.expand_by_source === 'true';
    const keys = query.group_by ?? [];
    if (!invoice.line_items || (!bySource && keys.length === 0)) return invoice;
    const lines: InvoiceLineView[] = [];
    for (const line of invoice.line_items) {
      const sources = bySource ? await this.parts(tx, line, ['source']) : null;
      const groups = keys.length > 0 ? await this.parts(tx, line, keys) : null;
      const made = {
        usage_analytics:
          sources?.map(({ groupedBy, ...part }) => ({ source: groupedBy.source!, ...shown(part) })) ?? null,
        usage_breakdown: groups?.map(({ groupedBy, ...part }) => ({ grouped_by: groupedBy, ...shown(part) })) ?? null,
      };
      lines.push(Object.assign({}, line, made));
    }
    return Object.assign({}, invoice, { line_items: lines });
  }

  /** Null of a line that bills no usage. */
  private async parts(tx: Tx, line: InvoiceLineView, keys: readonly string[]): Promise<UsagePart[] | null> {
    const { line_item_id: lineItemId, subscription_id: subscriptionId, period_start, customer_id: customerId } = line;
    if (line.price_type !== 'USAGE' || !lineItemId || !subscriptionId || !period_start) return null;
    const periodStart = new Date(period_start);
    return this.breakdowns.of(tx, { customerId, subscriptionId, lineItemId, periodStart }, keys);
  }
}

const shown = ({ cost, usage, percentage, eventCount }: Omit<UsagePart, 'groupedBy'>) => ({
  cost,
  usage,
  percentage,
  event_count: eventCount,
});
