import { validateMeter } from '@drawdown/billing-core';
import { Problem } from '@drawdown/platform';
import { coreMeter, type Meter } from './meter.entity.js';

/** @throws Problem 400 naming the field of what makes no sense (`validateMeter`). */
export function assertMeter(meter: Meter): void {
  const [wrong] = validateMeter(coreMeter(meter));
  if (wrong) throw Problem.invalid(`meter.${wrong.field}`, `is wrong: ${wrong.message}`);
}
