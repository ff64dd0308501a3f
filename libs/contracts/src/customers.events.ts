import { defineEvent, Id } from './event.js';

const customer = { customer_id: Id, external_customer_id: Id };

export const customerCreated = defineEvent('customer.created', 'A customer was created', customer);
export const customerUpdated = defineEvent('customer.updated', 'A customer was changed', customer);
export const customerDeleted = defineEvent('customer.deleted', 'A customer was archived', customer);
