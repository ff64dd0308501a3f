import { defineEvent, dueWorkOrder, type DueWork } from '@drawdown/contracts';
import {
  AfterCommit,
  Due,
  EventBus,
  InTransaction,
  IsAmount,
  Requests,
  SingleRead,
  SingleReads,
  type Tx,
} from '@drawdown/platform';
import { Body, Controller, Get, Injectable, Module, Post, Query } from '@nestjs/common';
import { IsString } from 'class-validator';
import { sql } from 'kysely';
import Type from 'typebox';

export const thingMade = defineEvent('thing.made', 'A thing was made', { name: Type.String() });

export class MakeThingBody {
  @IsString()
  name: string;

  @IsAmount({ above: '0' })
  size: string;
}

const thingNames = new SingleRead(
  ['part'],
  ({ part }, { environmentId }) => sql<{ name: string }>`
    select name from thing where environment_id = ${environmentId} and name like ${part} order by name`,
);

/** A module as small as can be, to see the platform's mechanics from the outside. */
@Controller('things')
export class ThingsController {
  constructor(
    private readonly requests: Requests,
    private readonly reads: SingleReads,
    private readonly events: EventBus,
  ) {}

  @Get()
  async names(@Query('part') part: string): Promise<{ names: string[]; now: string }> {
    const { rows, now } = await this.reads.read(thingNames, { part: `%${part}%` });
    return { names: rows.map(({ name }) => name), now: now.toISOString() };
  }

  @Post()
  make(@Body() body: MakeThingBody): Promise<{ name: string; size: string }> {
    return this.requests.write(async (tx) => {
      await sql`insert into thing (environment_id, name) values (${tx.scope.environmentId}, ${body.name})`.execute(
        tx.db,
      );
      await this.events.publish(tx, thingMade, { name: body.name });
      return { name: body.name, size: body.size };
    });
  }
}

@Injectable()
export class ThingsListener {
  readonly delivered: string[] = [];
  failures = 0;
  /** Awaited by each delivery before it ends. */
  beforeDelivery: () => Promise<void> = async () => {};

  @InTransaction(thingMade)
  async refuse(_tx: Tx, { name }: { name: string }): Promise<void> {
    if (name === 'refused') throw new Error('refused by a subscriber of the transaction');
  }

  @AfterCommit(thingMade)
  async deliver({ name }: { name: string }): Promise<void> {
    await this.beforeDelivery();
    if (this.failures-- > 0) throw new Error('not now');
    this.delivered.push(name);
  }
}

@Injectable()
export class ThingsJobs {
  readonly done: string[] = [];
  onWork: (tx: Tx, work: DueWork) => Promise<void> = async () => {};

  async work(tx: Tx, work: DueWork): Promise<void> {
    await this.onWork(tx, work);
    this.done.push(`${work.kind} ${work.subjectId} ${work.dueAt.toISOString()}`);
  }
}
// Every kind of due work, done by the same method: only the order is looked at here.
for (const kind of dueWorkOrder) {
  const method = function (this: ThingsJobs, tx: Tx, work: DueWork) {
    return this.work(tx, work);
  };
  Object.defineProperty(ThingsJobs.prototype, kind, { value: method });
  Due(kind)(ThingsJobs.prototype, kind, Object.getOwnPropertyDescriptor(ThingsJobs.prototype, kind)!);
}

@Module({ controllers: [ThingsController], providers: [ThingsListener, ThingsJobs] })
export class FixtureModule {}
