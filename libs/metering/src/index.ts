export { Accrual } from './accrual.entity.js';
export type { IncomingEvent, IngestRequest, IngestResult } from './incoming-event.js';
export { IngestionService } from './ingestion.service.js';
export { MeteringModule } from './metering.module.js';
export { UsageBreakdowns, type UsagePart } from './usage-breakdown.service.js';
export { UsageEvent } from './usage-event.entity.js';
export { UsagePeriod } from './usage-period.entity.js';
export { UsageService, type AccruedUsage, type LateUsage } from './usage.service.js';
export { meteringInvariants } from './metering.invariants.js';
