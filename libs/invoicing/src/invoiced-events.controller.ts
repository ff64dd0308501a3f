import { Requests } from '@drawdown/platform';
import { Controller, Get, Param } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { InvoicedEventView } from './invoiced-event.dto.js';
import { InvoicedEvents } from './invoiced-events.service.js';

/** Lives here and not with the other event routes: only invoicing may ask for invoices. */
@ApiTags('Events')
@Controller('events')
export class InvoicedEventsController {
  constructor(
    private readonly events: InvoicedEvents,
    private readonly requests: Requests,
  ) {}

  @Get(':id')
  @ApiOperation({ summary: 'Follow an event to quantity, price, lots, ledger, invoice lines and payments' })
  follow(@Param('id') id: string): Promise<InvoicedEventView> {
    return this.requests.read((tx) => this.events.follow(tx, id));
  }
}
