/** The parts of an address, as the wire names them. */
export interface Address {
  readonly address_line1: string | null;
  readonly address_line2: string | null;
  readonly address_city: string | null;
  readonly address_state: string | null;
  readonly address_postal_code: string | null;
  readonly address_country: string | null;
}

/** Roboto draws these; DejaVu has most of the other alphabets. What neither has becomes a box, never an error. */
const IN_ROBOTO = /[\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}\p{Script=Common}\p{Script=Inherited}]/u;
const CONTROL = /[\p{Cc}\p{Cs}]+/gu;

export interface Run {
  text: string;
  font: 'Roboto' | 'DejaVu';
}

/** A text as runs of one font each; control characters become spaces. */
export function written(value: string): Run[] {
  const runs: Run[] = [];
  for (const character of value.replace(CONTROL, ' ')) {
    const font = IN_ROBOTO.test(character) ? 'Roboto' : 'DejaVu';
    const last = runs.at(-1);
    if (last?.font === font) last.text += character;
    else runs.push({ text: character, font });
  }
  return runs;
}

/** Street, town and country, a line each; `DE` is written out. */
export function addressLines(address: Address): string[] {
  const town = [address.address_postal_code, address.address_city].filter(Boolean).join(' ');
  return [
    address.address_line1,
    address.address_line2,
    [town, address.address_state].filter(Boolean).join(', '),
    address.address_country && countryName(address.address_country),
  ].filter((line): line is string => Boolean(line));
}

const COUNTRIES = new Intl.DisplayNames('en', { type: 'region', fallback: 'code' });

const countryName = (code: string): string =>
  /^[a-z]{2}$/i.test(code) ? (COUNTRIES.of(code.toUpperCase()) ?? code) : code;

/** A day on the zone's calendar, such as `24 Feb 2026`. */
export const dayOf = (at: string, zone: string): string =>
  new Intl.DateTimeFormat('en-GB', { timeZone: zone, day: 'numeric', month: 'short', year: 'numeric' }).format(
    new Date(at),
  );

/** First and last day of `[start, end)`: February is `1 Feb 2026 – 28 Feb 2026`. */
export function spanText(start: string, end: string, zone: string): string {
  const last = Math.max(new Date(end).getTime() - 1, new Date(start).getTime());
  return `${dayOf(start, zone)} – ${dayOf(new Date(last).toISOString(), zone)}`;
}

const QUANTITY = new Intl.NumberFormat('en-US', { maximumFractionDigits: 12 });

/** An exact quantity with its thousands apart. */
export const quantityText = (quantity: string): string => QUANTITY.format(quantity as Intl.StringNumericLiteral);
