import {
  IsMetadata,
  IsText,
  IsTexts,
  IsZone,
  NotYet,
  Optional,
  OwnedView,
  ownedView,
  PaginationView,
  SearchQuery,
  UnusedKey,
} from '@drawdown/platform';
import { ApiProperty } from '@nestjs/swagger';
import { IsBoolean, IsEmail, IsString, MaxLength } from 'class-validator';
import type { Customer } from './customer.entity.js';

/** What both a new customer and a change of one may say. */
class CustomerDetails {
  @Optional()
  @IsString()
  @MaxLength(255)
  name?: string | null;

  @Optional()
  @IsEmail()
  @MaxLength(320)
  email?: string | null;

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

  /** IANA zone for the periods of subscriptions made from now on; default UTC. */
  @Optional()
  @IsZone()
  timezone?: string | null;

  /** The older spelling of `timezone`. */
  @Optional()
  @IsZone()
  customer_timezone?: string | null;

  /** Replaces what was stored. */
  @Optional()
  @IsMetadata()
  metadata?: Record<string, string> | null;

  @NotYet()
  parent_customer_id?: string | null;

  @NotYet()
  parent_customer_external_id?: string | null;

  @NotYet()
  tax_rate_overrides?: unknown[] | null;

  @NotYet()
  integration_entity_mapping?: unknown[] | null;
}

export class CreateCustomerBody extends CustomerDetails {
  /** Your own id of the customer. */
  @IsText()
  external_id: string;

  /** There is no onboarding workflow to skip; either value is fine. */
  @Optional()
  @IsBoolean()
  skip_onboarding_workflow?: boolean | null;
}

export class UpdateCustomerBody extends CustomerDetails {
  @Optional()
  @IsText()
  external_id?: string | null;
}

/** Names the customer to change; the id counts when both are given. */
export class UpdateCustomerTarget {
  @Optional()
  @IsString()
  @MaxLength(255)
  id?: string | null;

  @Optional()
  @IsString()
  @MaxLength(255)
  external_customer_id?: string | null;
}

export class CustomerSearchBody extends SearchQuery {
  @Optional()
  @IsTexts()
  customer_ids?: string[] | null;

  @Optional()
  @IsString()
  @MaxLength(255)
  external_id?: string | null;

  @Optional()
  @IsTexts()
  external_ids?: string[] | null;

  @Optional()
  @IsString()
  @MaxLength(320)
  email?: string | null;

  @NotYet()
  parent_customer_ids?: string[] | null;
}

export class CustomerView extends OwnedView {
  external_id: string;
  name: string | null;
  email: string | null;
  address_line1: string | null;
  address_line2: string | null;
  address_city: string | null;
  address_state: string | null;
  address_postal_code: string | null;
  address_country: string | null;
  timezone: string;
  @ApiProperty({ type: 'object', additionalProperties: { type: 'string' } })
  metadata: Record<string, string>;
  /** Always null: customers have no parents yet. */
  @ApiProperty({ type: String, nullable: true })
  parent_customer_id: string | null;
  /** Always null: customers have no parents yet. */
  @ApiProperty({ type: Object, nullable: true })
  @UnusedKey()
  parent_customer: null;
}

export class CustomerListView {
  @ApiProperty({ type: [CustomerView] })
  items: CustomerView[];
  pagination: PaginationView;
}

export const customerView = (customer: Customer): CustomerView => ({
  ...ownedView(customer),
  external_id: customer.externalId,
  name: customer.name ?? null,
  email: customer.email ?? null,
  address_line1: customer.addressLine1 ?? null,
  address_line2: customer.addressLine2 ?? null,
  address_city: customer.addressCity ?? null,
  address_state: customer.addressState ?? null,
  address_postal_code: customer.addressPostalCode ?? null,
  address_country: customer.addressCountry ?? null,
  timezone: customer.timezone,
  metadata: customer.metadata,
  parent_customer_id: null,
  parent_customer: null,
});
