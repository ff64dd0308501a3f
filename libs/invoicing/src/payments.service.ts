import { createdWithin, expanded, pageOptions, Problem, type Tx } from '@drawdown/platform';
import { Injectable } from '@nestjs/common';
import { Invoice } from './invoice.entity.js';
import { CheckoutSession, Payment, PaymentAttempt } from './payment.entity.js';
import { paymentView, type PaymentQuery, type PaymentView } from './payments.dto.js';

/** Payments as they are read. */
@Injectable()
export class PaymentsService {
  /** @throws Problem 404. */
  async get(tx: Tx, id: string): Promise<PaymentView> {
    const payment = await tx.em.findOne(Payment, { environmentId: tx.scope.environmentId, id, archivedAt: null });
    if (!payment) throw Problem.notFound('payment', id);
    return (await this.views(tx, [payment]))[0]!;
  }

  async list(tx: Tx, query: PaymentQuery): Promise<[PaymentView[], number]> {
    expanded(query, ['invoice']);
    const own = { environmentId: tx.scope.environmentId };
    const pages = query.gateway_tracking_id
      ? await tx.em.find(CheckoutSession, { ...own, gatewaySessionId: query.gateway_tracking_id })
      : null;
    const ids = [query.payment_ids, pages?.map(({ paymentId }) => paymentId ?? '')].filter((some) => some);
    const where = {
      ...own,
      archivedAt: null,
      ...createdWithin(query),
      ...(query.destination_id ? { invoiceId: query.destination_id } : {}),
      ...(query.payment_method_type ? { methodType: query.payment_method_type } : {}),
      ...(query.payment_status ? { status: query.payment_status } : {}),
      ...(query.currency ? { currency: query.currency.toLowerCase() } : {}),
      ...(query.gateway_payment_id ? { gatewayPaymentId: query.gateway_payment_id } : {}),
      $and: ids.map((some) => ({ id: { $in: some! } })),
    };
    const [found, total] = await tx.em.findAndCount(Payment, where, pageOptions(query));
    return [await this.views(tx, found), total];
  }

  private async views(tx: Tx, payments: readonly Payment[]): Promise<PaymentView[]> {
    const own = { environmentId: tx.scope.environmentId };
    const of = { ...own, paymentId: { $in: payments.map(({ id }) => id) } };
    const invoices = await tx.em.find(Invoice, { ...own, id: { $in: payments.map(({ invoiceId }) => invoiceId) } });
    const attempts = await tx.em.find(PaymentAttempt, of, { orderBy: { number: 'asc' } });
    const pages = await tx.em.find(CheckoutSession, of);
    const numbers = new Map(invoices.map(({ id, number }) => [id, number]));
    return payments.map((payment) =>
      paymentView(payment, {
        invoiceNumber: numbers.get(payment.invoiceId) ?? null,
        attempts: attempts.filter(({ paymentId }) => paymentId === payment.id),
        page: pages.find(({ paymentId }) => paymentId === payment.id) ?? null,
      }),
    );
  }
}
