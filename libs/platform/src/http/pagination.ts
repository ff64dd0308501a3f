import { ApiProperty } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsIn, IsInt, IsString, Max, MaxLength, Min } from 'class-validator';
import { Problem } from './problem.js';
import { IsInstant, NotYet, Optional } from './validators.js';

/** What every list takes: a page, an order, and bounds on the time of creation. */
export class PageQuery {
  @Optional()
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(1000)
  limit?: number;

  @Optional()
  @Type(() => Number)
  @IsInt()
  @Min(0)
  @Max(1_000_000_000)
  offset?: number;

  /** By time of creation; newest first unless `asc`. */
  @Optional()
  @IsIn(['asc', 'desc'])
  order?: 'asc' | 'desc';

  /** Only what was created at or after this instant. */
  @Optional()
  @IsInstant()
  start_time?: string;

  /** Only what was created before this instant. */
  @Optional()
  @IsInstant()
  end_time?: string;

  /** Comma-separated names of related things to include. */
  @Optional()
  @IsString()
  @MaxLength(500)
  expand?: string;

  /** Life of the record: `published` (default) or `archived`. */
  @Optional()
  @IsIn(['published', 'archived', 'deleted', 'inactive'])
  status?: string;
}

/** The body of `POST /<resource>/search`. */
export class SearchQuery extends PageQuery {
  @NotYet()
  filters?: unknown[];

  @NotYet()
  sort?: unknown;
}

/** The names in `expand`. @throws Problem 400 naming those that the list doesn't know. */
export function expanded<const Name extends string>(query: PageQuery, known: readonly Name[]): ReadonlySet<Name> {
  const names = (query.expand ?? '').split(',').map((name) => name.trim());
  const wanted = names.filter((name) => name !== '');
  const unknown = wanted.filter((name) => !(known as readonly string[]).includes(name));
  if (unknown.length > 0) {
    throw Problem.invalid('expand', `does not know ${unknown.join(', ')}; it knows ${known.join(', ')}`);
  }
  return new Set(wanted as Name[]);
}

export class PaginationView {
  @ApiProperty()
  total: number;
  @ApiProperty()
  limit: number;
  @ApiProperty()
  offset: number;
}

export interface ListView<T> {
  items: T[];
  pagination: PaginationView;
}

export const DEFAULT_PAGE = 50;

/** The ORM's find options of a page: creation order with the id as tie-breaker. */
export function pageOptions(query: PageQuery) {
  const direction = query.order === 'asc' ? ('asc' as const) : ('desc' as const);
  return {
    limit: query.limit ?? DEFAULT_PAGE,
    offset: query.offset ?? 0,
    orderBy: [{ createdAt: direction }, { id: direction }],
  };
}

/** The bounds on `createdAt`, as an ORM condition. */
export function createdWithin(query: PageQuery): object {
  const bounds = {
    ...(query.start_time ? { $gte: new Date(query.start_time) } : {}),
    ...(query.end_time ? { $lt: new Date(query.end_time) } : {}),
  };
  return Object.keys(bounds).length > 0 ? { createdAt: bounds } : {};
}

export function listView<T>(items: T[], total: number, query: PageQuery): ListView<T> {
  return { items, pagination: { total, limit: query.limit ?? DEFAULT_PAGE, offset: query.offset ?? 0 } };
}
