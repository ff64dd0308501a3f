import { MikroOrmModule } from '@mikro-orm/nestjs';
import { PostgreSqlDriver } from '@mikro-orm/postgresql';
import { Global, Module, type DynamicModule } from '@nestjs/common';
import { APP_GUARD, APP_PIPE, DiscoveryModule } from '@nestjs/core';
import { ScheduleModule } from '@nestjs/schedule';
import { LoggerModule } from 'nestjs-pino';
import { ApiKeyGuard } from './auth/api-key.guard.js';
import { ApiKeys } from './auth/api-keys.js';
import { Bootstrap } from './auth/bootstrap.js';
import { ApiKey, Environment, Tenant } from './auth/environment.entity.js';
import { Tenants } from './auth/tenants.service.js';
import { TenantsController } from './auth/tenants.controller.js';
import { ClockController } from './clock/clock.controller.js';
import { ClockService } from './clock/clock.service.js';
import { SETTINGS, type Settings } from './config/settings.js';
import { ormOptions, type OrmParts } from './database/orm-options.js';
import { Transactions } from './database/transactions.js';
import { EventBus } from './events/event-bus.js';
import { Outbox } from './events/outbox.js';
import { Subscribers } from './events/subscribers.js';
import { HealthController } from './http/health.controller.js';
import { loggerOptions } from './http/logging.js';
import { Requests } from './http/requests.js';
import { SingleReads } from './http/single-reads.js';
import { validationPipe } from './http/validation.pipe.js';
import { Agenda } from './jobs/agenda.js';
import { DueHandlers } from './jobs/due-handlers.js';
import { FailuresController } from './jobs/failures.controller.js';
import { Retention } from './jobs/retention.js';
import { Worker } from './jobs/worker.js';

/** The mechanics every module stands on. Knows no domain, but that due work belongs to a customer. */
@Global()
@Module({})
export class PlatformModule {
  static forRoot(settings: Settings, orm: Omit<OrmParts, 'poolSize'>): DynamicModule {
    return {
      module: PlatformModule,
      imports: [
        LoggerModule.forRoot(loggerOptions(settings)),
        MikroOrmModule.forRoot({
          driver: PostgreSqlDriver,
          registerRequestContext: false,
          ...ormOptions({
            ...orm,
            entities: [Tenant, Environment, ApiKey, ...orm.entities],
            poolSize: settings.DATABASE_POOL_SIZE,
          }),
        }),
        DiscoveryModule,
        ScheduleModule.forRoot(),
      ],
      controllers: [ClockController, FailuresController, HealthController, TenantsController],
      providers: [
        { provide: SETTINGS, useValue: settings },
        { provide: APP_GUARD, useClass: ApiKeyGuard },
        { provide: APP_PIPE, useFactory: validationPipe },
        ApiKeys,
        Bootstrap,
        Tenants,
        Transactions,
        Requests,
        SingleReads,
        Subscribers,
        Outbox,
        EventBus,
        DueHandlers,
        Agenda,
        ClockService,
        Worker,
        Retention,
      ],
      exports: [
        SETTINGS,
        Transactions,
        Requests,
        SingleReads,
        EventBus,
        Outbox,
        Agenda,
        ClockService,
        Bootstrap,
        Tenants,
      ],
    };
  }
}
