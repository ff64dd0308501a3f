import { Body, Controller, Get, HttpCode, Post, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { sql } from 'kysely';
import { listView } from '../http/pagination.js';
import { Problem } from '../http/problem.js';
import { Requests } from '../http/requests.js';
import type { Tx } from '../database/transactions.js';
import { Outbox } from '../events/outbox.js';
import {
  FailurePageQuery,
  RetryFailureBody,
  type FailureListView,
  type FailureView,
  type RetriedView,
} from './failures.dto.js';

@ApiTags('Operations')
@Controller('failures')
export class FailuresController {
  constructor(
    private readonly requests: Requests,
    private readonly outbox: Outbox,
  ) {}

  @Get()
  @ApiOperation({ summary: 'What could not be done: due work in trouble, events that were not delivered' })
  list(@Query() query: FailurePageQuery): Promise<FailureListView> {
    return this.requests.read(async (tx) => {
      const { limit, offset } = listView([], 0, query).pagination;
      const found = await sql<FailureView & { total: number }>`
        select *, count(*) over ()::int total from (${failures(tx)}) failure
        where ${query.subject_id ?? null}::text is null or subject_id = ${query.subject_id ?? null}
        order by subject_id, name limit ${limit} offset ${offset}`.execute(tx.db);
      const items = found.rows.map(({ kind, subject_id, name, attempts, error, given_up }) => ({
        kind,
        subject_id,
        name,
        attempts,
        error,
        given_up,
      }));
      return listView(items, found.rows[0]?.total ?? 0, query);
    });
  }

  @Post('retry')
  @HttpCode(200)
  @ApiOperation({ summary: 'Try everything again that failed for a customer or an event' })
  retry(@Body() body: RetryFailureBody): Promise<RetriedView> {
    return this.requests.write(async (tx) => {
      const retried = (await retryWork(tx, body.subject_id)) + (await retryDeliveries(tx, body.subject_id));
      if (retried === 0) throw Problem.notFound('failure', body.subject_id);
      tx.afterCommit(() => this.outbox.wake());
      return { retried };
    });
  }
}

const failures = (tx: Tx) => sql`
  select 'due_work' kind, customer_id subject_id, w.kind || ' ' || w.subject_id name, attempts, last_error error,
         parked_at is not null given_up
  from due_work w where environment_id = ${tx.scope.environmentId} and last_error is not null
  union all
  select 'delivery', e.id, d.handler || ' of ' || e.name, d.attempts, d.last_error, d.status = 'dead'
  from outbox_delivery d join outbox_event e on e.seq = d.event_seq
  where d.environment_id = ${tx.scope.environmentId} and d.status <> 'done' and d.last_error is not null`;

async function retryWork(tx: Tx, customerId: string): Promise<number> {
  const reset = await sql`
    update due_work set attempts = 0, parked_at = null, retry_at = null
    where environment_id = ${tx.scope.environmentId} and customer_id = ${customerId} and last_error is not null`.execute(
    tx.db,
  );
  return Number(reset.numAffectedRows ?? 0);
}

async function retryDeliveries(tx: Tx, eventId: string): Promise<number> {
  const reset = await sql`
    update outbox_delivery d set status = 'pending', attempts = 0, next_attempt_at = now()
    from outbox_event e
    where e.environment_id = ${tx.scope.environmentId} and e.id = ${eventId} and d.event_seq = e.seq
      and d.status <> 'done' and d.last_error is not null`.execute(tx.db);
  return Number(reset.numAffectedRows ?? 0);
}
