import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type Stripe from 'stripe';
import type { Account } from './account.js';
import { testCard } from './cards.js';
import { authenticate, pay, type Paid } from './checkout-payment.js';
import { expireDue, planOf } from './checkout-session.js';
import type { Dispatcher } from './dispatcher.js';
import { authenticationPage, closedPage, contentSecurityPolicy, paymentPage, type Notice } from './hosted-page.js';
import type { Cause } from './store.js';

const WAIT_FOR_WEBHOOK_MS = 10_000;
const byPage = (request: FastifyRequest): Cause => ({ by: 'page', method: request.method, path: request.url });

/** `/c/pay/{session}`: what a buyer's browser sees. Plain forms, no script. */
export function mountHostedPage(app: FastifyInstance, account: Account, dispatcher: Dispatcher): void {
  const page = (request: FastifyRequest, reply: FastifyReply, notice?: Notice) => {
    expireDue(account);
    const session = account.store.get('checkout.session', (request.params as { id: string }).id);
    if (!session || session.status !== 'open') return show(reply, session, closedPage(session), session ? 200 : 404);
    return show(reply, session, screenOf(account, session, notice));
  };

  const finish = async (request: FastifyRequest, reply: FastifyReply, paid: Paid) => {
    await account.store.journal.flushed();
    if (paid.result === 'declined')
      return page(request, reply, { error: paid.error.message ?? 'Your card was declined.' });
    if (paid.result === 'requires_action') return reply.redirect(`/c/pay/${paid.session.id}`, 303);
    await webhookAnswered(account, dispatcher, paid.session);
    return reply.redirect(landing(paid.session), 303);
  };

  const press =
    (work: (session: Stripe.Checkout.Session, form: Form) => Paid) =>
    (request: FastifyRequest, reply: FastifyReply) => {
      expireDue(account);
      const session = account.store.get('checkout.session', (request.params as { id: string }).id);
      if (!session || session.status !== 'open') return page(request, reply);
      const paid = account.store.write(byPage(request), () => work(session, (request.body ?? {}) as Form));
      return finish(request, reply, paid);
    };

  app.get('/c/pay/:id', async (request, reply) => page(request, reply));
  app.post('/c/pay/:id', async (request, reply) => {
    const details = readCard((request.body ?? {}) as Form);
    if ('error' in details) return page(request, reply, details);
    return press((session) => pay(account, session, details))(request, reply);
  });
  app.post('/c/pay/:id/authentication', async (request, reply) =>
    press((session, form) => authenticate(account, session, form.result === 'complete'))(request, reply),
  );
}

type Form = Record<string, unknown>;

const field = (form: Form, name: string): string => (typeof form[name] === 'string' ? form[name].slice(0, 200) : '');

/** Any well-formed number is taken; a test card's number decides how it behaves. */
export function readCard(
  form: Form,
): { number: string; exp_month: number; exp_year: number; name: string; email: string } | Notice {
  const number = field(form, 'number').replaceAll(/[\s-]/g, '');
  if (!/^\d{12,19}$/.test(number) || !(testCard(number) || passesLuhn(number))) {
    return { error: 'Your card number is incorrect.' };
  }
  const expiry = /^\s*(\d{1,2})\s*\/\s*(\d{2}|\d{4})\s*$/.exec(field(form, 'expiry') || '12 / 34');
  const month = Number(expiry?.[1]);
  if (!expiry || month < 1 || month > 12) return { error: 'The expiry date is not valid: write it as MM / YY.' };
  const year = Number(expiry[2]);
  return {
    number,
    exp_month: month,
    exp_year: year < 100 ? 2000 + year : year,
    name: field(form, 'name'),
    email: field(form, 'email'),
  };
}

function passesLuhn(number: string): boolean {
  let sum = 0;
  number
    .split('')
    .reverse()
    .forEach((digit, place) => {
      const doubled = Number(digit) * (place % 2 === 0 ? 1 : 2);
      sum += doubled > 9 ? doubled - 9 : doubled;
    });
  return sum % 10 === 0;
}

function screenOf(account: Account, session: Stripe.Checkout.Session, notice?: Notice): string {
  const waiting =
    session.mode === 'setup'
      ? account.store.get('setup_intent', (session.setup_intent ?? '') as string)?.status
      : account.store.get('payment_intent', (session.payment_intent ?? '') as string)?.status;
  if (waiting === 'requires_action') {
    return authenticationPage(`/c/pay/${session.id}/authentication`, session.mode === 'setup');
  }
  return paymentPage(session, planOf(account, session.id), notice);
}

function show(
  reply: FastifyReply,
  session: Stripe.Checkout.Session | undefined,
  html: string,
  status = 200,
): FastifyReply {
  return reply
    .code(status)
    .headers({
      'content-security-policy': contentSecurityPolicy([session?.success_url, session?.cancel_url]),
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
    })
    .type('text/html; charset=utf-8')
    .send(html);
}

/** As Stripe does: the buyer lands when the merchant has heard of it, or after ten seconds. */
async function webhookAnswered(
  account: Account,
  dispatcher: Dispatcher,
  session: Stripe.Checkout.Session,
): Promise<void> {
  const events = account.store
    .all('event')
    .filter((event) => event.type === 'checkout.session.completed' && event.data.object.id === session.id);
  await Promise.all(events.map((event) => dispatcher.answered(event.id, WAIT_FOR_WEBHOOK_MS)));
}

function landing(session: Stripe.Checkout.Session): string {
  return (session.success_url ?? '/').replaceAll('{CHECKOUT_SESSION_ID}', session.id);
}
