import { ApiProperty } from '@nestjs/swagger';
import { IsEmail, IsString, MaxLength } from 'class-validator';
import { IsMetadata, IsText, Optional, Part } from '../http/validators.js';
import type { Tenant } from './environment.entity.js';

export class AddressBody {
  @Optional()
  @IsString()
  @MaxLength(255)
  address_line1?: string | null;

  @Optional()
  @IsString()
  @MaxLength(255)
  address_line2?: string | null;

  @Optional()
  @IsString()
  @MaxLength(100)
  address_city?: string | null;

  @Optional()
  @IsString()
  @MaxLength(100)
  address_state?: string | null;

  @Optional()
  @IsString()
  @MaxLength(20)
  address_postal_code?: string | null;

  /** ISO 3166-1 code of two letters. */
  @Optional()
  @IsString()
  @MaxLength(2)
  address_country?: string | null;
}

export class BillingDetailsBody {
  @Optional()
  @IsEmail()
  @MaxLength(320)
  email?: string | null;

  @Optional()
  @IsEmail()
  @MaxLength(320)
  help_email?: string | null;

  @Optional()
  @IsString()
  @MaxLength(50)
  phone?: string | null;

  @Optional()
  @Part(() => AddressBody)
  address?: AddressBody | null;
}

export class UpdateTenantBody {
  @Optional()
  @IsText()
  name?: string | null;

  /** The seller on invoices; replaces what was stored. */
  @Optional()
  @Part(() => BillingDetailsBody)
  billing_details?: BillingDetailsBody | null;

  /** Replaces what was stored. */
  @Optional()
  @IsMetadata()
  metadata?: Record<string, string> | null;
}

export class AddressView {
  address_line1: string | null;
  address_line2: string | null;
  address_city: string | null;
  address_state: string | null;
  address_postal_code: string | null;
  address_country: string | null;
}

export class BillingDetailsView {
  email: string | null;
  help_email: string | null;
  phone: string | null;
  address: AddressView;
}

export class TenantView {
  id: string;
  name: string;
  status: string;
  billing_details: BillingDetailsView;
  @ApiProperty({ type: 'object', additionalProperties: { type: 'string' } })
  metadata: Record<string, string>;
  created_at: string;
  updated_at: string;
}

export const tenantView = ({ id, name, billingDetails, metadata, createdAt, updatedAt }: Tenant): TenantView => ({
  id,
  name,
  status: 'published',
  billing_details: {
    email: billingDetails?.email ?? null,
    help_email: billingDetails?.helpEmail ?? null,
    phone: billingDetails?.phone ?? null,
    address: {
      address_line1: billingDetails?.address.line1 ?? null,
      address_line2: billingDetails?.address.line2 ?? null,
      address_city: billingDetails?.address.city ?? null,
      address_state: billingDetails?.address.state ?? null,
      address_postal_code: billingDetails?.address.postalCode ?? null,
      address_country: billingDetails?.address.country ?? null,
    },
  },
  metadata,
  created_at: createdAt.toISOString(),
  updated_at: updatedAt.toISOString(),
});
