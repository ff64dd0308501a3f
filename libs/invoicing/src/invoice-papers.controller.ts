import { Optional, Public, Requests } from '@drawdown/platform';
import { Controller, Get, Param, Query, Req, StreamableFile } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiProduces, ApiTags } from '@nestjs/swagger';
import { IsIn } from 'class-validator';
import type { FastifyRequest } from 'fastify';
import { InvoicePapers, type Pdf } from './invoice-papers.service.js';

export class InvoicePdfQuery {
  /** `true` answers a link that can be opened without a key for a day. */
  @Optional()
  @IsIn(['true', 'false'])
  url?: 'true' | 'false' | null;
}

export class InvoicePdfLinkView {
  presigned_url: string;
}

@ApiTags('Invoices')
@Controller()
export class InvoicePapersController {
  constructor(
    private readonly papers: InvoicePapers,
    private readonly requests: Requests,
  ) {}

  @Get('invoices/:id/pdf')
  @ApiOperation({ summary: 'An invoice as PDF; with `url=true` a link to it. A draft is marked as one' })
  @ApiProduces('application/pdf', 'application/json')
  @ApiOkResponse({
    content: {
      'application/pdf': { schema: { type: 'string', format: 'binary' } },
      'application/json': {
        schema: { type: 'object', required: ['presigned_url'], properties: { presigned_url: { type: 'string' } } },
      },
    },
  })
  async pdf(
    @Param('id') id: string,
    @Query() query: InvoicePdfQuery,
    @Req() request: FastifyRequest,
  ): Promise<StreamableFile | InvoicePdfLinkView> {
    if (query.url !== 'true') return asFile(await this.papers.pdf(this.requests.scope(), id));
    const origin = `${request.protocol}://${request.host}`;
    return this.requests.read(async (tx) => ({ presigned_url: await this.papers.link(tx, id, origin) }));
  }

  @Public()
  @Get('invoice-links/:token')
  @ApiOperation({ summary: 'The PDF behind a link; the link is the proof' })
  @ApiProduces('application/pdf')
  async linked(@Param('token') token: string): Promise<StreamableFile> {
    return asFile(await this.papers.linked(token));
  }
}

const asFile = ({ name, bytes }: Pdf): StreamableFile =>
  new StreamableFile(bytes, {
    type: 'application/pdf',
    disposition: `inline; filename="${name}"`,
    length: bytes.length,
  });
