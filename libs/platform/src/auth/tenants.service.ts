import { Injectable } from '@nestjs/common';
import type { Tx } from '../database/transactions.js';
import { Problem } from '../http/problem.js';
import { Tenant } from './environment.entity.js';
import type { UpdateTenantBody } from './tenants.dto.js';

/** The company that uses Drawdown: the seller on its invoices. */
@Injectable()
export class Tenants {
  /** The caller's own. */
  own(tx: Tx): Promise<Tenant> {
    return tx.em.findOneOrFail(Tenant, { id: tx.scope.tenantId });
  }

  /** @throws Problem 404 for any but the caller's own. */
  async get(tx: Tx, id: string): Promise<Tenant> {
    if (id !== tx.scope.tenantId) throw Problem.notFound('tenant', id);
    return this.own(tx);
  }

  /** Billing details replace those that were stored. */
  async update(tx: Tx, { name, billing_details: details, metadata }: UpdateTenantBody): Promise<Tenant> {
    const tenant = await this.own(tx);
    const address = details?.address;
    return tx.em.assign(tenant, {
      ...(name ? { name } : {}),
      ...(metadata ? { metadata } : {}),
      ...(details
        ? {
            billingDetails: {
              email: details.email ?? null,
              helpEmail: details.help_email ?? null,
              phone: details.phone ?? null,
              address: {
                line1: address?.address_line1 ?? null,
                line2: address?.address_line2 ?? null,
                city: address?.address_city ?? null,
                state: address?.address_state ?? null,
                postalCode: address?.address_postal_code ?? null,
                country: address?.address_country ?? null,
              },
            },
          }
        : {}),
      updatedAt: tx.now,
    });
  }
}
