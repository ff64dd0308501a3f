import type { Account } from './account.js';
import type { FaultRule } from './tables.js';

export interface Asked {
  method: string;
  path: string;
  params: Record<string, unknown>;
}

/** Counts the request against each rule it matches; the first that is due strikes. Runs inside a unit of change. */
export function strikeFault(account: Account, asked: Asked): FaultRule | undefined {
  let struck: FaultRule | undefined;
  for (const rule of account.store.all('fault')) {
    if (!applies(account, rule, asked)) continue;
    const seen = rule.seen + 1;
    const due = !struck && seen >= (rule.match.nth ?? 1) && (rule.times === null || rule.struck < rule.times);
    const counted = { ...rule, seen, struck: rule.struck + (due ? 1 : 0) };
    account.store.put('fault', counted);
    if (due) struck = counted;
  }
  return struck;
}

function applies(account: Account, { match }: FaultRule, asked: Asked): boolean {
  if (match.method && match.method.toUpperCase() !== asked.method) return false;
  if (match.path && !pattern(match.path).test(asked.path)) return false;
  if (!match.metadata) return true;
  const candidates = metadataOf(account, asked);
  return Object.entries(match.metadata).every(([key, value]) => candidates.some((one) => one[key] === value));
}

/** `*` stands for one step of the path, `**` for any number. */
function pattern(path: string): RegExp {
  const escaped = path.replaceAll(/[.+?^${}()|[\]\\]/g, String.raw`\$&`);
  return new RegExp(`^${escaped.replaceAll('**', '\0').replaceAll('*', '[^/]+').replaceAll('\0', '.*')}$`);
}

/** The metadata sent along, and that of the object the path names. */
function metadataOf(account: Account, { path, params }: Asked): Record<string, unknown>[] {
  const nested = params.payment_intent_data as Record<string, unknown> | undefined;
  const sent = [params.metadata, nested?.metadata];
  const named = path
    .split('/')
    .flatMap((step) => [
      account.store.get('payment_intent', step)?.metadata,
      account.store.get('checkout.session', step)?.metadata,
      account.store.get('setup_intent', step)?.metadata,
    ]);
  return [...sent, ...named].filter((one): one is Record<string, unknown> => typeof one === 'object' && one !== null);
}
