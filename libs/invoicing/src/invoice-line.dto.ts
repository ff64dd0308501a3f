import { UnusedKey } from '@drawdown/platform';
import { text } from '@drawdown/billing-core';
import { ApiProperty } from '@nestjs/swagger';
import type { LineContent } from './invoice-content.js';
import type { CommitmentNote, Invoice, InvoiceLine } from './invoice.entity.js';

/** A row, or what a preview puts in its place. */
export type InvoiceFacts = Omit<Invoice, 'id'> & { readonly id: string | null };

/** What some of a line's events did: money and quantity as exact decimals, and the share of the cost in per cent. */
class UsagePartView {
  cost: string;
  usage: string;
  percentage: string;
  event_count: number;
}

export class SourceUsageView extends UsagePartView {
  /** Empty where an event named none. */
  source: string;
}

export class UsageBreakdownView extends UsagePartView {
  @ApiProperty({ type: Object, additionalProperties: { type: 'string' } })
  grouped_by: Record<string, string>;
}

/** What a commitment came to in the line's period, in all; money as exact decimals. */
export class CommitmentInfoView {
  /** `amount` of money, or `quantity` of units: what was promised. */
  type: string;
  /** Money promised of the period; of units what they cost. */
  amount: string;
  /** Units promised of a full period, where units are. */
  quantity: string | null;
  duration: string;
  overage_factor: string;
  true_up_enabled: boolean;
  is_windowed: boolean;
  computed_commitment_utilized_amount: string;
  /** What usage beyond the promise costs in all; the line charges what the factor adds to it. */
  computed_overage_amount: string;
  computed_true_up_amount: string;
}

/** One line. Money and quantities are exact decimals as text. */
export class InvoiceLineView {
  /** Null while it is not recorded: on a draft or a preview. */
  @ApiProperty({ type: String, nullable: true })
  id: string | null;
  @ApiProperty({ type: String, nullable: true })
  invoice_id: string | null;
  tenant_id: string;
  environment_id: string;
  status: string;
  created_at: string;
  @UnusedKey()
  created_by: null;
  updated_at: string;
  @UnusedKey()
  updated_by: null;
  customer_id: string;
  @ApiProperty({ type: String, nullable: true })
  subscription_id: string | null;
  /** The plan. */
  @ApiProperty({ type: String, nullable: true })
  entity_id: string | null;
  @ApiProperty({ type: String, nullable: true })
  entity_type: string | null;
  @ApiProperty({ type: String, nullable: true })
  plan_display_name: string | null;
  @ApiProperty({ type: String, nullable: true })
  price_id: string | null;
  @ApiProperty({ type: String, nullable: true })
  price_type: string | null;
  @ApiProperty({ type: String, nullable: true })
  meter_id: string | null;
  @ApiProperty({ type: String, nullable: true })
  meter_display_name: string | null;
  display_name: string;
  currency: string;
  @ApiProperty({ type: String, nullable: true })
  period_start: string | null;
  @ApiProperty({ type: String, nullable: true })
  period_end: string | null;
  quantity: string;
  /** Gross, before what was waived and what credits paid. */
  amount: string;
  prepaid_credits_applied: string;
  /** Waived: the uncovered usage of a trial. */
  line_item_discount: string;
  invoice_level_discount: string;
  @ApiProperty({ type: Object, additionalProperties: { type: 'string' } })
  metadata: Record<string, string>;
  /** Of a line that a commitment added. */
  @ApiProperty({ type: CommitmentInfoView, nullable: true })
  commitment_info: CommitmentInfoView | null;
  @UnusedKey()
  price_unit: null;
  @UnusedKey()
  price_unit_amount: null;
  @UnusedKey()
  price_unit_id: null;
  /** By source of the events, with `expand_by_source=true`. */
  @ApiProperty({ type: [SourceUsageView], nullable: true })
  usage_analytics: SourceUsageView[] | null;
  /** By what `group_by` names. */
  @ApiProperty({ type: [UsageBreakdownView], nullable: true })
  usage_breakdown: UsageBreakdownView[] | null;
  /** Ours, beside the client's keys: the line item, units that cost nothing, and what is due of the line. */
  @ApiProperty({ type: String, nullable: true })
  line_item_id: string | null;
  free_units: string;
  amount_due: string;
}

export const invoiceLineView = (invoice: InvoiceFacts, line: LineContent | InvoiceLine): InvoiceLineView => ({
  ...recordOf('id' in line ? line : { ...invoice, id: null }),
  invoice_id: invoice.id,
  customer_id: invoice.customerId,
  subscription_id: invoice.subscriptionId ?? null,
  entity_id: line.planId ?? null,
  entity_type: line.planId ? 'PLAN' : null,
  plan_display_name: line.planDisplayName ?? null,
  price_id: line.priceId ?? null,
  price_type: line.priceType ?? null,
  meter_id: line.meterId ?? null,
  meter_display_name: line.meterDisplayName ?? null,
  display_name: line.displayName,
  currency: invoice.currency,
  period_start: instant(line.periodStart),
  period_end: instant(line.periodEnd),
  quantity: text(line.quantity),
  amount: text(line.gross),
  prepaid_credits_applied: text(line.creditsApplied),
  line_item_discount: text(line.waived),
  invoice_level_discount: '0',
  metadata: line.metadata,
  commitment_info: line.commitment ? commitmentInfoView(line.commitment) : null,
  price_unit: null,
  price_unit_amount: null,
  price_unit_id: null,
  usage_analytics: null,
  usage_breakdown: null,
  line_item_id: line.lineItemId ?? null,
  free_units: text(line.freeUnits),
  amount_due: text(line.due),
});

const commitmentInfoView = (note: CommitmentNote): CommitmentInfoView => ({
  type: note.type,
  amount: note.promised,
  quantity: note.quantity,
  duration: note.duration,
  overage_factor: note.overage_factor,
  true_up_enabled: note.true_up_enabled,
  is_windowed: false,
  computed_commitment_utilized_amount: note.utilized,
  computed_overage_amount: note.overage,
  computed_true_up_amount: note.true_up,
});

/** What every record of the wire says of itself. */
export const recordOf = (
  row: { id: string | null } & Pick<Invoice, 'tenantId' | 'environmentId' | 'createdAt' | 'updatedAt'>,
) => ({
  id: row.id,
  tenant_id: row.tenantId,
  environment_id: row.environmentId,
  status: 'published',
  created_at: row.createdAt.toISOString(),
  created_by: null,
  updated_at: row.updatedAt.toISOString(),
  updated_by: null,
});

export const instant = (at: Date | null | undefined): string | null => at?.toISOString() ?? null;
