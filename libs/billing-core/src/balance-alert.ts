import type { Decimal } from './decimal.js';

/** From harmless to bad. */
export const ALERT_LEVELS = ['ok', 'info', 'warning', 'critical'] as const;
export type AlertLevel = (typeof ALERT_LEVELS)[number];

/** A level holds while the balance is below (or above) its threshold; at the threshold itself it does. */
export interface AlertThreshold {
  threshold: Decimal;
  condition: 'below' | 'above';
}
export interface AlertSettings {
  enabled: boolean;
  info?: AlertThreshold | null;
  warning?: AlertThreshold | null;
  critical?: AlertThreshold | null;
}

/** The worst level whose threshold the balance has reached; `ok` when alerts are off. */
export function alertLevel(balance: Decimal, settings: AlertSettings): AlertLevel {
  if (!settings.enabled) return 'ok';
  const reached = (['critical', 'warning', 'info'] as const).find((level) => {
    const rule = settings[level];
    if (!rule) return false;
    return rule.condition === 'below' ? balance.lte(rule.threshold) : balance.gte(rule.threshold);
  });
  return reached ?? 'ok';
}

/**
 * What a balance's change announces, given the level announced last: `raised` when it got worse, `recovered` when it
 * got better, nothing while it stays on its level, so that a balance below its threshold is told once. MEANING "Time":
 * "Alerts … look only at the state after all of it".
 */
export function crossAlert(
  before: AlertLevel,
  balance: Decimal,
  settings: AlertSettings,
): { level: AlertLevel; announce: 'raised' | 'recovered' | null } {
  const level = alertLevel(balance, settings);
  const change = ALERT_LEVELS.indexOf(level) - ALERT_LEVELS.indexOf(before);
  if (change === 0) return { level, announce: null };
  return { level, announce: change > 0 ? 'raised' : 'recovered' };
}
