import { within } from '@drawdown/platform';

/** Does the work for each item in turn; a problem says which item's field it is about, and none is kept. */
export async function eachItem<Item, Made>(
  items: readonly Item[],
  work: (item: Item) => Promise<Made>,
): Promise<Made[]> {
  const made: Made[] = [];
  for (const [place, item] of items.entries()) made.push(await within(`items[${place}]`, () => work(item)));
  return made;
}
