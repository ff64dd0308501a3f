export * from './customers.events.js';
export * from './due-work.js';
export { defineEvent, type EventDefinition, type EventEnvelope, type PayloadOf } from './event.js';
export * from './invoicing.events.js';
export * from './late-usage.js';
export * from './metering.events.js';
export * from './payment-gateway.js';
export * from './subscriptions.events.js';
export * from './wallets.events.js';
