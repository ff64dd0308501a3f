import { Public } from '@drawdown/platform';
import { Controller, Get, HttpCode, Param, Post, Res } from '@nestjs/common';
import { ApiOperation, ApiProduces, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { paymentPage } from './payment-page.js';
import { PaymentLinks } from './payment-links.service.js';

/** The button leads to the gateway's page: a browser asks whether a form may. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self' https: http:; frame-ancestors 'none'";

const HTML = { 'content-type': 'text/html; charset=utf-8', 'content-security-policy': POLICY };

/** For the customer, without a key: the link is the proof. Looking changes nothing; the button does. */
@ApiTags('Payments')
@Controller('pay')
export class PaymentLinksController {
  constructor(private readonly links: PaymentLinks) {}

  @Public()
  @Get(':token')
  @ApiOperation({ summary: 'What an invoice asks for, and the button to pay it; the link is the proof' })
  @ApiProduces('text/html')
  async show(@Param('token') token: string, @Res({ passthrough: true }) reply: FastifyReply): Promise<string> {
    const { invoice } = await this.links.invoice(token);
    void reply.headers(HTML);
    return paymentPage(invoice, { token, payable: this.links.of(invoice) !== null, returned: false });
  }

  @Public()
  @Post(':token')
  @HttpCode(303)
  @ApiOperation({ summary: "Go to the gateway's page on which the invoice is paid" })
  async pay(@Param('token') token: string, @Res({ passthrough: true }) reply: FastifyReply): Promise<void> {
    void reply.header('location', await this.links.open(token));
  }

  @Public()
  @Get(':token/done')
  @ApiOperation({ summary: 'Where the customer comes back to: what became of the payment' })
  @ApiProduces('text/html')
  async returned(@Param('token') token: string, @Res({ passthrough: true }) reply: FastifyReply): Promise<string> {
    const invoice = await this.links.returned(token);
    void reply.headers(HTML);
    return paymentPage(invoice, { token, payable: this.links.of(invoice) !== null, returned: true });
  }
}
