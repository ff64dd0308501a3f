/** Whose data: every row carries both, every query filters by them. */
export interface Scope {
  readonly tenantId: string;
  readonly environmentId: string;
}

/** A scope that an API key opened. The transactions that work for it ask whether the key still opens it. */
export interface Caller extends Scope {
  readonly apiKeyId: string;
}
