import { type Cadence, addDuration } from '../period.js';
import { type Runner, at, same } from './case.js';

const PERIODS = { D: 'DAILY', W: 'WEEKLY', M: 'MONTHLY', Y: 'ANNUAL' } as const;
const UNITS = { D: 'DAY', W: 'WEEK', M: 'MONTH', Y: 'YEAR' } as const;

function duration(iso: string): { count: number; unit: keyof typeof PERIODS } {
  const [, sign, count, unit] = /^(-?)P(\d+)([DWMY])$/.exec(iso)!;
  return { count: Number(`${sign}${count}`), unit: unit as keyof typeof PERIODS };
}
/** An ISO duration of one unit, such as `P3M`, as a cadence. */
export function cadenceOf(iso: string): Cadence {
  const { count, unit } = duration(iso);
  return { billingPeriod: PERIODS[unit], count, zone: 'UTC' };
}
export const added: Runner = ({ start, add }, expected) => {
  const { count, unit } = duration(add);
  return [['instant', addDuration(at(start), UNITS[unit], count, 'UTC').toISOString(), same(expected.result)]];
};
