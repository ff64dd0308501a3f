import { listView, requestContext, Requests, type ListView } from '@drawdown/platform';
import { HoldsService } from '@drawdown/wallets';
import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { AuthorizationService, HOLD_KEY } from './authorization.service.js';
import {
  AuthorizeBody,
  CaptureBody,
  HoldsQuery,
  holdView,
  type AuthorizationView,
  type HoldView,
} from './credits.dto.js';
import { HoldSettlement } from './hold-settlement.service.js';
import { repeatedOnRace } from './repeated-on-race.js';

const DEFAULT_LIMIT = 50;

@ApiTags('Credits')
@Controller('credits')
export class CreditsController {
  constructor(
    private readonly authorization: AuthorizationService,
    private readonly settlement: HoldSettlement,
    private readonly holds: HoldsService,
    private readonly requests: Requests,
  ) {}

  @Post('authorize')
  @HttpCode(200)
  @ApiOperation({ summary: 'May this customer do it? If so, keep the credits for it; 200 either way' })
  authorize(@Body() body: AuthorizeBody): Promise<AuthorizationView> {
    if (requestContext.getStore()?.idempotency) {
      return repeatedOnRace(HOLD_KEY, () => this.requests.write((tx) => this.authorization.authorizeIn(tx, body)));
    }
    return this.authorization.authorize(this.requests.scope(), body);
  }

  @Get('holds')
  @ApiOperation({ summary: 'Holds, newest first' })
  list(@Query() query: HoldsQuery): Promise<ListView<HoldView>> {
    return this.requests.read(async (tx) => {
      const filter = { customerId: query.customer_id ?? null, status: query.hold_status ?? null };
      const page = { limit: query.limit ?? DEFAULT_LIMIT, offset: query.offset ?? 0 };
      const [holds, total] = await this.holds.list(tx, filter, page);
      return listView(
        holds.map((hold) => holdView(hold, tx.scope)),
        total,
        query,
      );
    });
  }

  @Get('holds/:id')
  @ApiOperation({ summary: 'Get a hold' })
  get(@Param('id') id: string): Promise<HoldView> {
    return this.requests.read(async (tx) => holdView(await this.holds.get(tx, id), tx.scope));
  }

  @Post('holds/:id/capture')
  @HttpCode(200)
  @ApiOperation({ summary: 'Settle a hold with what was really used: records the event and takes its credits' })
  capture(@Param('id') id: string, @Body() body: CaptureBody): Promise<HoldView> {
    return this.requests.write(async (tx) => holdView(await this.settlement.capture(tx, id, body), tx.scope));
  }

  @Post('holds/:id/release')
  @HttpCode(200)
  @ApiOperation({ summary: 'Let go of what a hold keeps' })
  release(@Param('id') id: string): Promise<HoldView> {
    return this.requests.write(async (tx) => holdView(await this.settlement.release(tx, id), tx.scope));
  }
}
