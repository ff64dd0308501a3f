interface Owned {
  readonly id: string;
  readonly tenantId: string;
  readonly environmentId: string;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly status?: string;
}

/** The keys every resource of the wire has. Nobody signs in yet, so nobody has made or changed anything by name. */
export class OwnedView {
  id: string;
  tenant_id: string;
  environment_id: string;
  /** Life of the record: `published` or `archived`. */
  status: string;
  created_at: string;
  created_by: string | null;
  updated_at: string;
  updated_by: string | null;
}

/** To be spread into a view: a plain object, which the type says too. */
export const ownedView = (row: Owned): Pick<OwnedView, keyof OwnedView> => ({
  id: row.id,
  tenant_id: row.tenantId,
  environment_id: row.environmentId,
  status: row.status ?? 'published',
  created_at: row.createdAt.toISOString(),
  created_by: null,
  updated_at: row.updatedAt.toISOString(),
  updated_by: null,
});

/** The answer of a call that has nothing to show. */
export class SuccessView {
  message: string;
}
