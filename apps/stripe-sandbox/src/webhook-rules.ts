import type { Account } from './account.js';
import type { WebhookRule } from './tables.js';

/** The first rule of this kind that applies to the event type, counted as struck. */
export function strike(account: Account, act: WebhookRule['act'], type: string): WebhookRule | undefined {
  const rule = account.store.all('webhook_rule').find((one) => one.act === act && applies(one, type));
  if (!rule) return undefined;
  account.store.put('webhook_rule', { ...rule, struck: rule.struck + 1 });
  return rule;
}

function applies(rule: WebhookRule, type: string): boolean {
  if (rule.times !== null && rule.struck >= rule.times) return false;
  return rule.types.some((pattern) =>
    pattern.endsWith('*') ? type.startsWith(pattern.slice(0, -1)) : pattern === type,
  );
}
