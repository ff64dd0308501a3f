import { dueWorkOrder, type DueWorkKind } from '@drawdown/contracts';
import { Customer, CustomersModule } from '@drawdown/customers';
import { Feature, FeaturesModule, Meter } from '@drawdown/features';
import {
  Agenda,
  Bootstrap,
  ClockService,
  Due,
  ErrorFilter,
  EventBus,
  fastifyAdapter,
  PlatformModule,
  readSettings,
  registerRequestHooks,
  Transactions,
  type Scope,
  type Tx,
} from '@drawdown/platform';
import { CreditGrant, Entitlement, Plan, PlansModule, Price } from '@drawdown/plans';
import {
  CreditGrantApplication,
  LineItem,
  Pause,
  Period,
  Subscription,
  SubscriptionEntitlement,
  SubscriptionGrant,
  SubscriptionSchedule,
  SubscriptionsModule,
  SubscriptionsService,
  type CreateSubscriptionBody,
} from '@drawdown/subscriptions';
import { Flexprice } from '@flexprice/sdk';
import { MikroORM } from '@mikro-orm/postgresql';
import { Injectable, Module } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { sql } from 'kysely';
import request from 'supertest';
import { defineStarter, type StarterIds } from '../../../apps/demo/src/starter-plan.js';
import { migrations } from '../../../migrations/index.js';
import { atEndOfFile } from '../../support/closing.js';

const KEY = 'a-key-for-the-subscription-tests';

const entities = [
  Feature,
  Meter,
  Plan,
  Price,
  Entitlement,
  CreditGrant,
  Customer,
  Subscription,
  LineItem,
  Period,
  SubscriptionEntitlement,
  SubscriptionGrant,
  CreditGrantApplication,
  SubscriptionSchedule,
  Pause,
];

/** Stands where the modules above subscriptions will: they own the other kinds of due work, none of which arises here. */
@Injectable()
class OthersWork {}
const ours: readonly DueWorkKind[] = [
  'subscription.start',
  'subscription.cancel',
  'subscription.pause',
  'subscription.resume',
  'plan.change',
  'line_item.change',
  'price.sync',
  'period.close',
  'period.open',
  'grant.give',
];
for (const kind of dueWorkOrder.filter((one) => !ours.includes(one))) {
  Object.defineProperty(OthersWork.prototype, kind, { value: async () => {} });
  Due(kind)(OthersWork.prototype, kind, Object.getOwnPropertyDescriptor(OthersWork.prototype, kind)!);
}

@Module({ providers: [OthersWork] })
class OthersModule {}

interface EventRow {
  name: string;
  payload: Record<string, unknown>;
}

/** Subscriptions and what they ask, on the file's own database, with the Starter plan of the example. */
export class SubscriptionWorld {
  starter: StarterIds;
  private customers = 0;

  private constructor(
    readonly app: NestFastifyApplication,
    readonly scope: Scope,
  ) {}

  static async start(at: string): Promise<SubscriptionWorld> {
    const settings = readSettings({
      LOG_LEVEL: 'silent',
      BOOTSTRAP_API_KEY: KEY,
      ROLE: 'api',
      DATABASE_POOL_SIZE: '5',
    });
    const module = await Test.createTestingModule({
      imports: [
        PlatformModule.forRoot(settings, { clientUrl: process.env.TEST_DATABASE!, entities, migrations }),
        FeaturesModule,
        PlansModule,
        CustomersModule,
        SubscriptionsModule,
        OthersModule,
      ],
    }).compile();
    const app = module.createNestApplication<NestFastifyApplication>(fastifyAdapter(), {
      rawBody: true,
      logger: process.env.LOG ? ['error', 'warn'] : false,
    });
    app.setGlobalPrefix('v1');
    app.useGlobalFilters(new ErrorFilter(() => false));
    registerRequestHooks(app);
    atEndOfFile(() => app.close());
    await app.listen(0, '127.0.0.1');
    await app.get(Bootstrap).ensureTenant();
    const found = await sql<{ tenant_id: string; id: string }>`
      update environment set clock_at = ${at} where type = 'development' returning tenant_id, id`.execute(
      app.get(MikroORM).em.fork().getKysely(),
    );
    return new SubscriptionWorld(app, { tenantId: found.rows[0]!.tenant_id, environmentId: found.rows[0]!.id });
  }

  get service(): SubscriptionsService {
    return this.app.get(SubscriptionsService, { strict: false });
  }

  /** The published client: it refuses an answer in which a declared key is missing. */
  async client(): Promise<Flexprice> {
    return new Flexprice({ serverURL: `${await this.app.getUrl()}/v1`, apiKeyAuth: KEY });
  }

  run<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    return this.app.get(Transactions).run(this.scope, work);
  }

  /** As `run`, in another environment of the same tenant. */
  async runElsewhere<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    const { tenantId } = this.scope;
    const found = await sql<{ id: string }>`select id from environment where type = 'production'`.execute(this.db);
    return this.app.get(Transactions).run({ tenantId, environmentId: found.rows[0]!.id }, work);
  }

  private get db() {
    return this.app.get(MikroORM).em.fork().getKysely();
  }

  /** Puts every work this subscription has had on the agenda once more, at the instants it had, and does it. */
  async repeatAllWork(id: string): Promise<void> {
    const agenda = this.app.get(Agenda);
    await this.run(async (tx) => {
      const { customerId, startDate } = await this.service.get(tx, id);
      const work = { customerId, subjectId: id };
      await agenda.schedule(tx, { ...work, kind: 'subscription.start', dueAt: startDate });
      const closed = await tx.em.find(Period, { subscriptionId: id, status: 'closed' });
      for (const { endAt } of closed) {
        await agenda.schedule(tx, { ...work, kind: 'period.open', dueAt: endAt });
        await agenda.catchUp(tx, customerId, endAt);
      }
      const given = await tx.em.find(CreditGrantApplication, { subscriptionId: id, status: 'applied' });
      for (const { id: subjectId, scheduledFor } of given) {
        await agenda.schedule(tx, { customerId, subjectId, kind: 'grant.give', dueAt: scheduledFor });
      }
      await agenda.catchUp(tx, customerId);
    });
  }

  /** Publishes what a module above would. */
  async publish(...event: Parameters<EventBus['publish']> extends [Tx, ...infer Rest] ? Rest : never): Promise<void> {
    await this.run((tx) => this.app.get(EventBus).publish(tx, ...event));
  }

  async advanceTo(at: string): Promise<string[]> {
    const { happened } = await this.app.get(ClockService).advance(this.scope, new Date(at));
    return happened.map(({ event }) => event);
  }

  api(method: 'get' | 'post' | 'put' | 'delete', route: string, body?: object) {
    const sent = request(this.app.getHttpServer())[method](`/v1${route}`).set('x-api-key', KEY);
    return body ? sent.send(body) : sent;
  }

  async made<T>(route: string, body: object): Promise<T> {
    const answer = await this.api('post', route, body);
    if (answer.status >= 300) throw new Error(`${route}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body as T;
  }

  /** The Starter plan of the example: $149 a month, two usage prices, 100 credits once and 2,000 a month. */
  async defineStarter(trialDays = 14): Promise<void> {
    this.starter = await defineStarter((path, body) => this.made(path, body), `starter-${trialDays}`, trialDays);
  }

  async customer(details: object = {}): Promise<{ id: string; external_id: string }> {
    return this.made('/customers', { external_id: `customer-${++this.customers}`, ...details });
  }

  /** Subscribes a new customer to the Starter plan and tells the subscription's id. */
  async subscribe(options: Partial<CreateSubscriptionBody> = {}): Promise<string> {
    const customer = options.customer_id ? { id: options.customer_id } : await this.customer();
    const subscription = await this.run((tx) =>
      this.service.create(tx, {
        plan_id: this.starter.planId,
        customer_id: customer.id,
        currency: 'usd',
        billing_period: 'MONTHLY',
        ...options,
      }),
    );
    return subscription.id;
  }

  subscription(id: string): Promise<Subscription> {
    return this.run((tx) => this.service.get(tx, id));
  }

  /** `1 trial 2027-01-10T09:00 2027-01-24T09:00 open`, oldest first. */
  async periods(id: string): Promise<string[]> {
    const found = await this.run((tx) => tx.em.find(Period, { subscriptionId: id }, { orderBy: { number: 'asc' } }));
    return found.map(
      ({ number, kind, startAt, endAt, status }) => `${number} ${kind} ${minute(startAt)} ${minute(endAt)} ${status}`,
    );
  }

  /** `ONETIME 100 2027-01-10T09:00 until 2027-01-24T09:00 applied`, by time. */
  async grants(id: string): Promise<string[]> {
    const { applications, grants } = await this.run(async (tx) => ({
      applications: await tx.em.find(CreditGrantApplication, { subscriptionId: id }),
      grants: await tx.em.find(SubscriptionGrant, { subscriptionId: id }),
    }));
    return applications
      .sort((a, b) => a.scheduledFor.getTime() - b.scheduledFor.getTime())
      .map(({ grantId, credits, scheduledFor, expiresAt, status }) => {
        const { cadence } = grants.find((grant) => grant.id === grantId)!;
        const until = expiresAt ? minute(expiresAt) : 'ever';
        return `${cadence} ${credits.toFixed()} ${minute(scheduledFor)} until ${until} ${status}`;
      });
  }

  /** The events of one subscription, in order. */
  async events(id: string): Promise<EventRow[]> {
    const found = await sql<EventRow>`
      select name, payload from outbox_event where payload ->> 'subscription_id' = ${id} order by seq`.execute(this.db);
    return found.rows;
  }

  async eventsOfCustomer(id: string): Promise<string[]> {
    const found = await sql<{ name: string }>`
      select name from outbox_event where payload ->> 'customer_id' = ${id} order by seq`.execute(this.db);
    return found.rows.map(({ name }) => name);
  }

  async eventNames(id: string): Promise<string[]> {
    return (await this.events(id)).map(({ name }) => name);
  }
}

export const minute = (at: Date): string => at.toISOString().slice(0, 16);

/** How a piece of work was refused: the problem's status and the field it is about. */
export async function refusalOf(work: Promise<unknown>): Promise<{ status: number; field?: string }> {
  try {
    await work;
  } catch (problem) {
    const { status, details } = problem as { status: number; details?: { field?: string } };
    return { status, field: details?.field };
  }
  throw new Error('it was not refused');
}
