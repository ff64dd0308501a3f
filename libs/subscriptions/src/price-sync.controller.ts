import { Requests } from '@drawdown/platform';
import { Controller, HttpCode, Param, Post } from '@nestjs/common';
import { ApiOperation, ApiProperty, ApiTags } from '@nestjs/swagger';
import { PriceSync } from './price-sync.service.js';

/** A sync that has begun; each subscription takes it in a transaction of its own. */
export class PriceSyncView {
  @ApiProperty()
  message: string;

  @ApiProperty()
  run_id: string;

  @ApiProperty()
  workflow_id: string;
}

@ApiTags('Plans')
@Controller('plans')
export class PriceSyncController {
  constructor(
    private readonly sync: PriceSync,
    private readonly requests: Requests,
  ) {}

  @Post(':id/sync/subscriptions')
  @HttpCode(200)
  @ApiOperation({ summary: "Take a plan's prices as they are now over into its running subscriptions" })
  begin(@Param('id') id: string): Promise<PriceSyncView> {
    return this.requests.write(async (tx) => {
      const { runId, subscriptions } = await this.sync.begin(tx, id);
      const message = `${subscriptions} running subscriptions take over the prices of the plan`;
      return { message, run_id: runId, workflow_id: `price-sync-${id}` };
    });
  }
}
