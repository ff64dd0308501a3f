import type { EventDefinition, EventEnvelope, PayloadOf } from '@drawdown/contracts';
import { Injectable } from '@nestjs/common';
import { sql } from 'kysely';
import type Type from 'typebox';
import { Compile, type Validator } from 'typebox/compile';
import { newId } from '../database/new-id.js';
import type { Tx } from '../database/transactions.js';
import { Outbox } from './outbox.js';
import { Subscribers } from './subscribers.js';

/** An event that is to be recorded, with the handlers that run after the commit. */
interface Published {
  readonly id: string;
  readonly name: string;
  readonly payload: unknown;
  readonly at: string;
  readonly later: readonly string[];
}

/** Tells the other modules what happened. An event is a row of the publisher's transaction: no commit, no event. */
@Injectable()
export class EventBus {
  private readonly validators = new Map<string, Validator>();
  /** What transactions in flight have published so far, recorded in one statement before their commit. */
  private readonly published = new WeakMap<Tx, Published[]>();

  constructor(
    private readonly subscribers: Subscribers,
    private readonly outbox: Outbox,
  ) {}

  /** Records the event, runs its subscribers of this transaction, and queues those that run after the commit. */
  async publish<D extends EventDefinition>(tx: Tx, definition: D, payload: PayloadOf<D>): Promise<void> {
    this.assertValid(definition, payload);
    const now = this.subscribers.of('in-transaction', definition.name);
    if (now.length > 0) await tx.em.flush();
    const envelope: EventEnvelope = { id: newId('evt'), name: definition.name, at: tx.now, ...tx.scope };
    const later = await this.later(tx, definition.name, payload);
    this.willRecord(tx.whole, { id: envelope.id, name: envelope.name, payload, at: tx.now.toISOString(), later });
    if (later.length > 0) tx.afterCommit(() => this.outbox.wake());
    for (const subscriber of now) {
      await subscriber.call(tx, payload, envelope);
    }
  }

  private async later(tx: Tx, name: string, payload: unknown): Promise<string[]> {
    const wanted: string[] = [];
    for (const subscriber of this.subscribers.of('after-commit', name)) {
      if (await subscriber.isWanted(tx, payload)) wanted.push(subscriber.name);
    }
    return wanted;
  }

  private willRecord(tx: Tx, event: Published): void {
    const published = this.published.get(tx);
    if (published) return void published.push(event);
    this.published.set(tx, [event]);
    tx.beforeCommit(() => this.record(tx));
  }

  /** In the order of publication, which `seq` and the deliveries keep. */
  private async record(tx: Tx): Promise<void> {
    const events = this.published.get(tx)!;
    this.published.delete(tx);
    const { tenantId, environmentId } = tx.scope;
    await sql`
      with told as (
        select * from rows from (jsonb_to_recordset(${JSON.stringify(events)}::jsonb)
          as (id text, name text, payload jsonb, at timestamptz, later jsonb))
          with ordinality t(id, name, payload, at, later, place)),
      event as (
        insert into outbox_event (id, tenant_id, environment_id, name, payload, at)
        select id, ${tenantId}, ${environmentId}, name, payload, at from told order by place
        returning seq, id)
      insert into outbox_delivery (event_seq, handler, tenant_id, environment_id)
      select event.seq, handler, ${tenantId}, ${environmentId}
      from event join told using (id), jsonb_array_elements_text(told.later) handler`.execute(tx.db);
  }

  private assertValid(definition: EventDefinition, payload: unknown): void {
    let validator = this.validators.get(definition.name);
    if (!validator) this.validators.set(definition.name, (validator = Compile(definition.payload as Type.TSchema)));
    if (validator.Check(payload)) return;
    const [error] = validator.Errors(payload);
    throw new Error(`event ${definition.name}: ${error?.instancePath || 'payload'} ${error?.message}`);
  }
}
