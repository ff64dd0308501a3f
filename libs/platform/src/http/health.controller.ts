import { MikroORM } from '@mikro-orm/postgresql';
import { Controller, Get, HttpCode } from '@nestjs/common';
import { ApiOperation, ApiProperty, ApiTags } from '@nestjs/swagger';
import { sql } from 'kysely';
import { Public } from '../auth/api-key.guard.js';
import type { Sql } from '../database/transactions.js';
import { Problem } from './problem.js';

export class HealthView {
  @ApiProperty({ enum: ['ok'] })
  status: 'ok';
}

@ApiTags('Health')
@Public()
@Controller()
export class HealthController {
  constructor(private readonly orm: MikroORM) {}

  @Get('health')
  @HttpCode(200)
  @ApiOperation({ summary: 'The process is up' })
  health(): HealthView {
    return { status: 'ok' };
  }

  @Get('ready')
  @HttpCode(200)
  @ApiOperation({ summary: 'The process can do its work: the database answers' })
  async ready(): Promise<HealthView> {
    try {
      await sql`select 1`.execute(this.orm.em.fork().getKysely() as Sql);
    } catch (error) {
      throw new Problem('service_unavailable', `the database does not answer: ${(error as Error).name}`);
    }
    return { status: 'ok' };
  }
}
