import { Problem } from '@drawdown/platform';

/** Does the work for each item in turn; a problem says which item's field it is about, and none is kept. */
export async function eachItem<Item, Made>(
  items: readonly Item[],
  work: (item: Item) => Promise<Made>,
): Promise<Made[]> {
  const made: Made[] = [];
  for (const [place, item] of items.entries()) {
    try {
      made.push(await work(item));
    } catch (error) {
      throw error instanceof Problem ? ofItem(place, error) : error;
    }
  }
  return made;
}

function ofItem(place: number, { code, message, details, cause }: Problem): Problem {
  const field = details.field === undefined ? `items[${place}]` : `items[${place}].${details.field}`;
  const sentence = details.field === undefined ? `${field}: ${message}` : `items[${place}].${message}`;
  return Object.assign(new Problem(code, sentence, { ...details, field }), { cause });
}
