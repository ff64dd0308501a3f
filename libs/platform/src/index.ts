export { Public } from './auth/api-key.guard.js';
export { Bootstrap } from './auth/bootstrap.js';
export type { BillingDetails, Tenant } from './auth/environment.entity.js';
export { Tenants } from './auth/tenants.service.js';
export { realTime } from './clock/real-time.js';
export { ClockService } from './clock/clock.service.js';
export { InvalidSettings, readSettings, SETTINGS, type Settings } from './config/settings.js';
export { amount, archivable, owned, recordStatuses, type RecordStatus } from './database/columns.js';
export { databaseAddress, type DatabaseAddress } from './database/database-url.js';
export { ensurePostgres, type EmbeddedPostgres } from './database/embedded-postgres.js';
export { explainRefusal } from './database/explain-refusal.js';
export { invariant, platformInvariants, type Invariant } from './database/invariant.js';
export { hasInHand, loaded } from './database/loaded.js';
export { newId } from './database/new-id.js';
export { ormOptions } from './database/orm-options.js';
export { overlapped } from './database/overlapped.js';
export type { Caller, Scope } from './database/scope.js';
export { sqlState } from './database/sql-state.js';
export { rowsOf, together, type SetTx } from './database/together.js';
export { sideBySide, Transactions, type Sql, type Tx } from './database/transactions.js';
export { EventBus } from './events/event-bus.js';
export { Outbox } from './events/outbox.js';
export { AfterCommit, InTransaction } from './events/subscribers.js';
export { ErrorFilter } from './http/error.filter.js';
export { fastifyAdapter, registerRequestHooks } from './http/fastify.js';
export { registerRequestLog } from './http/logging.js';
export { OwnedView, ownedView, SuccessView } from './http/owned-view.dto.js';
export {
  createdWithin,
  expanded,
  listView,
  pageOptions,
  PageQuery,
  PaginationView,
  SearchQuery,
  type ListView,
} from './http/pagination.js';
export { Problem, type ProblemCode, within } from './http/problem.js';
export { requestContext } from './http/request-context.js';
export { Requests } from './http/requests.js';
export { type Asker, SingleRead, SingleReads } from './http/single-reads.js';
export {
  IsAmount,
  IsCurrency,
  isInstant,
  IsInstant,
  IsMetadata,
  IsText,
  IsTexts,
  IsWhole,
  IsZone,
  NotYet,
  Optional,
  Part,
  Parts,
  PartsByName,
} from './http/validators.js';
export { UnusedKey } from './http/unused-key.js';
export { Agenda } from './jobs/agenda.js';
export { Due } from './jobs/due-handlers.js';
export { PlatformModule } from './platform.module.js';
