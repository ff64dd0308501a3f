import { displayAmount } from '@drawdown/billing-core';
import type { Invoice } from './invoice.entity.js';
import { isPaid } from './receivables.service.js';

interface Shown {
  readonly token: string;
  readonly payable: boolean;
  /** The customer comes from the gateway's page. */
  readonly returned: boolean;
}

/** The page behind the link of an invoice. Nothing on it is anybody's text but the invoice's number. */
export function paymentPage(invoice: Invoice, { token, payable, returned }: Shown): string {
  const number = escaped(invoice.number ?? '');
  const left = displayAmount(invoice.amountRemaining, invoice.currency);
  const told = isPaid(invoice)
    ? 'This invoice is paid. Thank you.'
    : !payable
      ? 'Nothing is to be paid on this invoice.'
      : returned
        ? `${left} is still to be paid. If you have just paid, this page will know in a moment.`
        : `${left} is to be paid.`;
  const button = payable
    ? `<form method="post" action="/v1/pay/${escaped(token)}"><button>Pay now</button></form>`
    : '';
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta name="robots" content="noindex">
<title>Invoice ${number}</title>
<style>body{font:16px/1.5 system-ui,sans-serif;max-width:32rem;margin:15vh auto;padding:0 1rem;color:#222}
h1{font-size:1.25rem}button{font:inherit;padding:.6rem 1.4rem;border:0;border-radius:.4rem;background:#1f4fd8;color:#fff;cursor:pointer}
</style></head>
<body><main><h1>Invoice ${number}</h1><p>${escaped(told)}</p>${button}</main></body>
</html>
`;
}

const escaped = (value: string): string => value.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
