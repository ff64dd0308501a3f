import { Body, Controller, Get, Param, Put } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { Requests } from '../http/requests.js';
import { tenantView, UpdateTenantBody, type TenantView } from './tenants.dto.js';
import { Tenants } from './tenants.service.js';

@ApiTags('Tenants')
@Controller('tenants')
export class TenantsController {
  constructor(
    private readonly tenants: Tenants,
    private readonly requests: Requests,
  ) {}

  @Put('update')
  @ApiOperation({ summary: "Change the caller's own tenant: its name and what invoices say of the seller" })
  update(@Body() body: UpdateTenantBody): Promise<TenantView> {
    return this.requests.write(async (tx) => tenantView(await this.tenants.update(tx, body)));
  }

  @Get(':id')
  @ApiOperation({ summary: "Get the caller's own tenant" })
  get(@Param('id') id: string): Promise<TenantView> {
    return this.requests.read(async (tx) => tenantView(await this.tenants.get(tx, id)));
  }
}
