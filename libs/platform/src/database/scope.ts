/** Whose data: every row carries both, every query filters by them. */
export interface Scope {
  readonly tenantId: string;
  readonly environmentId: string;
}
