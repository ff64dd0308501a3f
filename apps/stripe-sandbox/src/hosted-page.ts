import { createHash } from 'node:crypto';
import type Stripe from 'stripe';
import { TEST_CARDS } from './cards.js';
import { format } from './money.js';
import type { CheckoutPlan } from './tables.js';

type Session = Stripe.Checkout.Session;

export interface Notice {
  error: string;
}

const STYLE = `
:root { color-scheme: light dark; --ink: #1a1f36; --soft: #5b6478; --line: #d8dce6; --paper: #fff; --desk: #f4f5f9; --act: #0b5d4b; --bad: #a4161a; }
@media (prefers-color-scheme: dark) { :root { --ink: #eceef4; --soft: #a4abbd; --line: #3a4052; --paper: #1c2030; --desk: #12141d; --act: #1d7d67; --bad: #ff8a80; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--desk); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 30rem; margin: 6vh auto; padding: 2rem; background: var(--paper); border: 1px solid var(--line); border-radius: 14px; }
h1 { margin: 0 0 .25rem; font-size: 1.05rem; font-weight: 600; color: var(--soft); }
.total { margin: 0 0 1.25rem; font-size: 2.2rem; font-weight: 650; letter-spacing: -.02em; }
ul { list-style: none; margin: 0 0 1.5rem; padding: 0; border-top: 1px solid var(--line); }
li { display: flex; justify-content: space-between; gap: 1rem; padding: .6rem 0; border-bottom: 1px solid var(--line); }
.soft { color: var(--soft); font-size: .9rem; }
label { display: block; margin: .9rem 0 .25rem; font-size: .9rem; font-weight: 550; }
input { width: 100%; padding: .65rem .75rem; font: inherit; color: inherit; background: transparent; border: 1px solid var(--line); border-radius: 8px; }
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: .75rem; }
button, .away { display: block; width: 100%; margin-top: 1.25rem; padding: .8rem; font: inherit; font-weight: 600; text-align: center; border-radius: 8px; border: 1px solid transparent; cursor: pointer; }
button { color: #fff; background: var(--act); }
button.plain { color: var(--ink); background: transparent; border-color: var(--line); margin-top: .6rem; }
.away { color: var(--soft); margin-top: .4rem; }
input:focus-visible, button:focus-visible, a:focus-visible { outline: 3px solid var(--act); outline-offset: 2px; }
.error { margin: 0 0 1rem; padding: .7rem .9rem; color: var(--bad); border: 1px solid currentColor; border-radius: 8px; }
summary { cursor: pointer; }
details { margin-top: 1.25rem; }
details li span + span { text-align: right; }
details li span:first-child { white-space: nowrap; }
details ul { margin-top: .5rem; font-size: .85rem; }
.mark { margin-top: 1.5rem; text-align: center; }
`;

export function escape(text: string): string {
  const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
  return text.replaceAll(/[&<>"']/g, (one) => entities[one] ?? one);
}

/** Nothing runs and nothing is loaded; forms may post here and lead on to the merchant's pages. */
export function contentSecurityPolicy(leadsTo: (string | null | undefined)[]): string {
  const hash = createHash('sha256').update(STYLE).digest('base64');
  const origins = leadsTo
    .filter((url) => typeof url === 'string')
    .map((url) => new URL(url).origin)
    .filter((origin) => !/[;,\s]/.test(origin));
  const forms = ["'self'", ...new Set(origins)].join(' ');
  return `default-src 'none'; style-src 'sha256-${hash}'; form-action ${forms}; base-uri 'none'; frame-ancestors 'none'`;
}

function document(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
${body}
<p class="soft mark">Stripe sandbox: no real money moves here.</p>
</main>
</body>
</html>
`;
}

export function paymentPage(session: Session, plan: CheckoutPlan, notice?: Notice): string {
  const saving = session.mode === 'setup';
  const total = format(session.amount_total ?? 0, session.currency ?? 'usd');
  const action = saving ? 'Save card' : `Pay ${total}`;
  return document(
    saving ? 'Save a card' : `Pay ${total}`,
    `<h1>${saving ? 'Save a card for later payments' : escape(plan.payment.description || 'Payment')}</h1>
${saving ? '' : `<p class="total">${escape(total)}</p>`}
${itemList(plan.items, plan.payment.description)}
${notice ? `<p class="error" role="alert">${escape(notice.error)}</p>` : ''}
<form method="post" action="/c/pay/${escape(session.id)}">
${emailField(session)}
<label for="number">Card number</label>
<input id="number" name="number" inputmode="numeric" autocomplete="off" required value="4242 4242 4242 4242">
<div class="pair">
<div><label for="expiry">Expires (MM / YY)</label><input id="expiry" name="expiry" required value="12 / 34"></div>
<div><label for="cvc">Security code</label><input id="cvc" name="cvc" inputmode="numeric" required value="123"></div>
</div>
<label for="name">Name on card</label>
<input id="name" name="name" autocomplete="off" value="${escape(session.customer_details?.name ?? '')}">
<button type="submit">${escape(action)}</button>
</form>
${session.cancel_url ? `<a class="away" href="${escape(session.cancel_url)}">Cancel and go back</a>` : ''}
${testCards()}`,
  );
}

function testCards(): string {
  const rows = TEST_CARDS.map(({ number, name }) => {
    const spaced = number.replaceAll(/(.{4})(?=.)/g, '$1 ');
    return `<li><span>${escape(spaced)}</span><span class="soft">${escape(name)}</span></li>`;
  });
  return `<details class="soft"><summary>Test cards</summary>\n<ul>\n${rows.join('\n')}\n</ul></details>`;
}

function emailField(session: Session): string {
  const known = session.customer_details?.email;
  if (known) return `<p class="soft">${escape(known)}</p>`;
  return `<label for="email">Email</label>
<input id="email" name="email" type="email" autocomplete="off">`;
}

/** One item that is what the heading says already says nothing more. */
function itemList(items: Stripe.LineItem[], heading: string | undefined): string {
  const [only] = items;
  if (!only || (items.length === 1 && only.description === heading && only.quantity === 1)) return '';
  const rows = items.map((item) => {
    const name = escape(item.description ?? 'Item');
    const count = (item.quantity ?? 1) > 1 ? ` <span class="soft">× ${item.quantity}</span>` : '';
    return `<li><span>${name}${count}</span><span>${escape(format(item.amount_total, item.currency))}</span></li>`;
  });
  return `<ul>\n${rows.join('\n')}\n</ul>`;
}

export function authenticationPage(action: string, saving: boolean): string {
  return document(
    'Authenticate',
    `<h1>3-D Secure</h1>
<p>Your bank asks you to confirm ${saving ? 'that this card may be saved' : 'this payment'}.</p>
<form method="post" action="${escape(action)}">
<button type="submit" name="result" value="complete">Complete authentication</button>
<button class="plain" type="submit" name="result" value="fail">Fail authentication</button>
</form>`,
  );
}

export function closedPage(session: Session | undefined): string {
  if (!session) return document('Not found', '<h1>There is no such page</h1><p>Check the link you were given.</p>');
  const text =
    session.status === 'complete'
      ? 'This has already been completed: nothing more is to be paid here.'
      : 'This page has expired. Ask for a new link.';
  const back =
    session.status === 'complete'
      ? session.success_url?.replaceAll('{CHECKOUT_SESSION_ID}', session.id)
      : session.cancel_url;
  return document('Closed', `<h1>${text}</h1>${back ? `<a class="away" href="${escape(back)}">Go back</a>` : ''}`);
}
