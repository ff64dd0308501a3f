import type { EventDefinition, EventEnvelope, PayloadOf } from '@drawdown/contracts';
import { Injectable } from '@nestjs/common';
import { sql } from 'kysely';
import type Type from 'typebox';
import { Compile, type Validator } from 'typebox/compile';
import { newId } from '../database/new-id.js';
import type { Tx } from '../database/transactions.js';
import { Outbox } from './outbox.js';
import { Subscribers } from './subscribers.js';

/** Tells the other modules what happened. An event is a row of the publisher's transaction: no commit, no event. */
@Injectable()
export class EventBus {
  private readonly validators = new Map<string, Validator>();

  constructor(
    private readonly subscribers: Subscribers,
    private readonly outbox: Outbox,
  ) {}

  /** Records the event, runs its subscribers of this transaction, and queues those that run after the commit. */
  async publish<D extends EventDefinition>(tx: Tx, definition: D, payload: PayloadOf<D>): Promise<void> {
    this.assertValid(definition, payload);
    await tx.em.flush();
    const envelope: EventEnvelope = { id: newId('evt'), name: definition.name, at: tx.now, ...tx.scope };
    const later = this.subscribers.of('after-commit', definition.name).map((subscriber) => subscriber.name);
    await sql`
      with event as (
        insert into outbox_event (id, tenant_id, environment_id, name, payload, at)
        values (${envelope.id}, ${tx.scope.tenantId}, ${tx.scope.environmentId}, ${definition.name},
                ${JSON.stringify(payload)}::jsonb, ${tx.now})
        returning seq)
      insert into outbox_delivery (event_seq, handler, tenant_id, environment_id)
      select event.seq, handler, ${tx.scope.tenantId}, ${tx.scope.environmentId}
      from event, unnest(${later}::text[]) handler`.execute(tx.db);
    if (later.length > 0) tx.afterCommit(() => this.outbox.wake());
    for (const subscriber of this.subscribers.of('in-transaction', definition.name)) {
      await subscriber.call(tx, payload, envelope);
    }
  }

  private assertValid(definition: EventDefinition, payload: unknown): void {
    let validator = this.validators.get(definition.name);
    if (!validator) this.validators.set(definition.name, (validator = Compile(definition.payload as Type.TSchema)));
    const [error] = validator.Errors(payload);
    if (error) throw new Error(`event ${definition.name}: ${error.instancePath || 'payload'} ${error.message}`);
  }
}
