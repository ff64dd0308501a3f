export { Accrual } from './accrual.entity.js';
export { IngestionService, type IngestRequest, type IngestResult } from './ingestion.service.js';
export type { IncomingEvent } from './incoming-event.js';
export { MeteringModule } from './metering.module.js';
export { UsageEvent } from './usage-event.entity.js';
export { UsagePeriod } from './usage-period.entity.js';
export { UsageService, type AccruedUsage } from './usage.service.js';
export { meteringInvariants } from './metering.invariants.js';
