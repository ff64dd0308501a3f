import { Problem } from '@drawdown/platform';

/** 404: what a request names in `field` is not there, is archived, or is another environment's. */
export const unknownReference = (field: string, id: string): Problem =>
  new Problem('not_found', `${field} ${id} was not found`, { field });
