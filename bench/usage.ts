import { randomUUID } from 'node:crypto';

/** A usage event as all contestants take it. */
export interface BenchEvent {
  readonly event_id: string;
  readonly event_name: string;
  readonly external_customer_id: string;
  readonly timestamp: string;
  readonly source: string;
  readonly properties: Readonly<Record<string, string>>;
}

/** What one event burns: 2 rows at 1.5 credits. */
export const CREDITS_PER_EVENT = '3';

/** Events of these customers in turn; every id is new. */
export function usageOf(customers: readonly string[], now: () => Date = () => new Date()): () => BenchEvent {
  let next = 0;
  return () => ({
    event_id: randomUUID(),
    event_name: 'contact_enrich',
    external_customer_id: customers[next++ % customers.length]!,
    timestamp: now().toISOString(),
    source: 'bench',
    properties: { rows: '2', table: 'leads-2026', workflow: 'waterfall' },
  });
}
