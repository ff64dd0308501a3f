import { expanded, listView, Requests, SuccessView, type Tx } from '@drawdown/platform';
import { Body, Controller, Delete, Get, HttpCode, Param, Post, Put } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Feature } from './feature.entity.js';
import {
  CreateFeatureBody,
  FeatureSearchQuery,
  featureView,
  FeatureListView,
  FeatureView,
  UpdateFeatureBody,
} from './features.dto.js';
import { FeaturesService } from './features.service.js';

@ApiTags('Features')
@Controller('features')
export class FeaturesController {
  constructor(
    private readonly features: FeaturesService,
    private readonly requests: Requests,
  ) {}

  @Post()
  @ApiOperation({ summary: 'Create a feature, a metered one with its meter' })
  create(@Body() body: CreateFeatureBody): Promise<FeatureView> {
    return this.requests.write(async (tx) => this.view(tx, await this.features.create(tx, body)));
  }

  @Post('search')
  @HttpCode(200)
  @ApiOperation({ summary: 'Search features' })
  search(@Body() query: FeatureSearchQuery): Promise<FeatureListView> {
    expanded(query, ['meters']);
    return this.requests.read(async (tx) => {
      const [features, total] = await this.features.search(tx, query);
      return listView(await this.views(tx, features), total, query);
    });
  }

  @Get(':id')
  @ApiOperation({ summary: 'Read a feature' })
  read(@Param('id') id: string): Promise<FeatureView> {
    return this.requests.read(async (tx) => this.view(tx, await this.features.published(tx, id)));
  }

  @Put(':id')
  @ApiOperation({ summary: "Change a feature's texts, or its meter's filters" })
  update(@Param('id') id: string, @Body() body: UpdateFeatureBody): Promise<FeatureView> {
    return this.requests.write(async (tx) => this.view(tx, await this.features.update(tx, id, body)));
  }

  @Delete(':id')
  @ApiOperation({ summary: 'Archive a feature; refused while a price or an entitlement uses it' })
  remove(@Param('id') id: string): Promise<SuccessView> {
    return this.requests.write(async (tx) => {
      await this.features.remove(tx, id);
      return { message: 'feature deleted' };
    });
  }

  private async view(tx: Tx, feature: Feature): Promise<FeatureView> {
    return (await this.views(tx, [feature]))[0]!;
  }

  /** A feature is always shown with its meter. */
  private async views(tx: Tx, features: Feature[]): Promise<FeatureView[]> {
    const meters = await this.features.meters(
      tx,
      features.flatMap(({ meterId }) => meterId ?? []),
    );
    const byId = new Map(meters.map((meter) => [meter.id, meter]));
    return features.map((feature) => featureView(feature, byId.get(feature.meterId ?? '') ?? null));
  }
}
