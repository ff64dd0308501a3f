import { IANAZone } from 'luxon';

/**
 * The wall clock of a zone. A "local" is the reading of that clock, kept as the milliseconds at which UTC would read
 * the same; calendar steps are made on locals and turned back into instants once, at the end.
 */
export interface LocalDate {
  year: number;
  /** 0 = January */
  month: number;
  day: number;
  /** milliseconds since local midnight */
  timeOfDay: number;
}

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;
/** Far enough from any reading to be on one side of a clock change around it (the largest skips a whole day). */
const BEYOND_A_CHANGE_MS = 26 * 3_600_000;

/** True for the name of a zone of the IANA database, such as `Europe/Berlin` or `UTC`. Bare offsets are no zones. */
export function isZone(zone: string): boolean {
  return /^[A-Za-z]/.test(zone) && IANAZone.isValidZone(zone);
}

/** What the wall clock of `zone` reads at an instant. Throws RangeError for an unknown zone. */
export function localOf(at: Date, zone: string): LocalDate {
  const local = at.getTime() + offsetMs(at.getTime(), zone);
  const midnight = Math.floor(local / DAY_MS) * DAY_MS;
  const date = new Date(midnight);
  return {
    year: date.getUTCFullYear(),
    month: date.getUTCMonth(),
    day: date.getUTCDate(),
    timeOfDay: local - midnight,
  };
}

/**
 * The instant at which the wall clock of `zone` reads `local`. `day` and `month` may lie outside their range and roll
 * over. A reading the clock skips moves to the end of the gap, a reading shown twice is the first.
 * MEANING "Periods": "a gap moves to its end, an overlap takes the first".
 */
export function instantOf(local: LocalDate, zone: string): Date {
  const reading = Date.UTC(local.year, local.month, local.day) + local.timeOfDay;
  const before = offsetMs(reading - BEYOND_A_CHANGE_MS, zone);
  const after = offsetMs(reading + BEYOND_A_CHANGE_MS, zone);
  if (before === after && offsetMs(reading - before, zone) === before) return new Date(reading - before);
  const candidates = [reading - Math.max(before, after), reading - Math.min(before, after)];
  for (const candidate of candidates) {
    if (candidate + offsetMs(candidate, zone) === reading) return new Date(candidate);
  }
  return new Date(endOfGap(candidates[0]!, candidates[1]!, zone));
}

/** The instant in (low, high] at which the offset changes, by bisection: the offset at `low` is the one before. */
function endOfGap(low: number, high: number, zone: string): number {
  const before = offsetMs(low, zone);
  let early = low;
  let late = high;
  while (late - early > 1) {
    const middle = Math.floor((early + late) / 2);
    if (offsetMs(middle, zone) === before) early = middle;
    else late = middle;
  }
  return late;
}

/** The days of a month; `month` (0 = January) may roll over the year's ends. */
export function daysInMonth(year: number, month: number): number {
  return new Date(Date.UTC(year, month + 1, 0)).getUTCDate();
}

/** 0 = Monday … 6 = Sunday. */
export function weekday(local: LocalDate): number {
  return (new Date(Date.UTC(local.year, local.month, local.day)).getUTCDay() + 6) % 7;
}

/** Whole days from the day of `from` to the day of `to`, whatever the time of day. */
export function daysBetween(from: LocalDate, to: LocalDate): number {
  return (Date.UTC(to.year, to.month, to.day) - Date.UTC(from.year, from.month, from.day)) / DAY_MS;
}

/** Offsets (ms) of zones by UTC day; NaN on a day whose clock changes, where each instant is looked up. */
const offsetsByDay = new Map<string, Map<number, number>>();
const MOST_DAYS_KNOWN = 5_000;

/** Looking an offset up is slow; no zone has ever changed its clock forth and back within one UTC day. */
function offsetMs(at: number, zone: string): number {
  if (zone === 'UTC') return 0;
  let days = offsetsByDay.get(zone);
  if (!days || days.size >= MOST_DAYS_KNOWN) offsetsByDay.set(zone, (days = new Map()));
  const day = Math.floor(at / DAY_MS);
  let offset = days.get(day);
  if (offset === undefined) {
    const morning = lookUp(day * DAY_MS, zone);
    offset = morning === lookUp((day + 1) * DAY_MS, zone) ? morning : Number.NaN;
    days.set(day, offset);
  }
  return Number.isNaN(offset) ? lookUp(at, zone) : offset;
}

function lookUp(at: number, zone: string): number {
  const offset = IANAZone.create(zone).offset(at);
  if (Number.isNaN(offset)) throw new RangeError(`unknown time zone ${JSON.stringify(zone)}`);
  return Math.round(offset * MINUTE_MS);
}
