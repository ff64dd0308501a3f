import {
  IsMetadata,
  IsZone,
  NotYet,
  Optional,
  OwnedView,
  ownedView,
  PaginationView,
  SearchQuery,
} from '@drawdown/platform';
import { ApiProperty } from '@nestjs/swagger';
import { ArrayMaxSize, IsArray, IsBoolean, IsEmail, IsNotEmpty, IsString, MaxLength } from 'class-validator';
import type { Customer } from './customer.entity.js';

/** What both a new customer and a change of one may say. */
class CustomerDetails {
  @Optional()
  @IsString()
  @MaxLength(255)
  name?: string;

  @Optional()
  @IsEmail()
  @MaxLength(320)
  email?: string;

  @Optional()
  @IsString()
  @MaxLength(255)
  address_line1?: string;

  @Optional()
  @IsString()
  @MaxLength(255)
  address_line2?: string;

  @Optional()
  @IsString()
  @MaxLength(100)
  address_city?: string;

  @Optional()
  @IsString()
  @MaxLength(100)
  address_state?: string;

  @Optional()
  @IsString()
  @MaxLength(20)
  address_postal_code?: string;

  /** ISO 3166-1 code of two letters. */
  @Optional()
  @IsString()
  @MaxLength(2)
  address_country?: string;

  /** IANA zone for the periods of subscriptions made from now on; default UTC. */
  @Optional()
  @IsZone()
  timezone?: string;

  /** The older spelling of `timezone`. */
  @Optional()
  @IsZone()
  customer_timezone?: string;

  /** Replaces what was stored. */
  @Optional()
  @IsMetadata()
  metadata?: Record<string, string>;

  @NotYet()
  parent_customer_id?: string;

  @NotYet()
  parent_customer_external_id?: string;

  @NotYet()
  tax_rate_overrides?: unknown[];

  @NotYet()
  integration_entity_mapping?: unknown[];
}

export class CreateCustomerBody extends CustomerDetails {
  /** Your own id of the customer. */
  @IsString()
  @IsNotEmpty()
  @MaxLength(255)
  external_id: string;

  /** There is no onboarding workflow to skip; either value is fine. */
  @Optional()
  @IsBoolean()
  skip_onboarding_workflow?: boolean;
}

export class UpdateCustomerBody extends CustomerDetails {
  @Optional()
  @IsString()
  @IsNotEmpty()
  @MaxLength(255)
  external_id?: string;
}

/** Names the customer to change; the id counts when both are given. */
export class UpdateCustomerTarget {
  @Optional()
  @IsString()
  @MaxLength(255)
  id?: string;

  @Optional()
  @IsString()
  @MaxLength(255)
  external_customer_id?: string;
}

export class CustomerSearchBody extends SearchQuery {
  @Optional()
  @IsArray()
  @ArrayMaxSize(1000)
  @IsString({ each: true })
  @MaxLength(255, { each: true })
  customer_ids?: string[];

  @Optional()
  @IsString()
  @MaxLength(255)
  external_id?: string;

  @Optional()
  @IsArray()
  @ArrayMaxSize(1000)
  @IsString({ each: true })
  @MaxLength(255, { each: true })
  external_ids?: string[];

  @Optional()
  @IsString()
  @MaxLength(320)
  email?: string;

  @NotYet()
  parent_customer_ids?: string[];
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
