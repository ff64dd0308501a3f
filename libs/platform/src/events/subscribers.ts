import type { EventDefinition } from '@drawdown/contracts';
import { applyDecorators, Injectable, SetMetadata, type OnApplicationBootstrap } from '@nestjs/common';
import { DiscoveryService, MetadataScanner, Reflector } from '@nestjs/core';
import type { Tx } from '../database/transactions.js';

const IN_TRANSACTION = 'events:in-transaction';
const AFTER_COMMIT = 'events:after-commit';
const ONLY_IF = 'events:only-if';

/** The method runs inside the publisher's transaction: `(tx, payload, envelope)`. Both happen or neither. */
export const InTransaction = (event: EventDefinition) => SetMetadata(IN_TRANSACTION, event.name);

/**
 * The method runs after the commit, at least once, with retries of its own: `(payload, envelope)`.
 * @param onlyIf another method of the class, `(tx, payload)`, asked inside the publisher's transaction: a delivery that
 * would do nothing isn't queued. What makes it wanted later must tell so itself.
 */
export const AfterCommit = (event: EventDefinition, { onlyIf }: { readonly onlyIf?: string } = {}) =>
  applyDecorators(SetMetadata(AFTER_COMMIT, event.name), SetMetadata(ONLY_IF, onlyIf));

export interface Subscriber {
  /** `Class.method`: names its deliveries in the outbox, so renaming it orphans what is waiting. */
  readonly name: string;
  readonly call: (...args: unknown[]) => Promise<void>;
  /** Whether it is to run at all. */
  readonly isWanted: (tx: Tx, payload: unknown) => Promise<boolean>;
}

/** Finds the decorated listener methods of all modules once, at start. */
@Injectable()
export class Subscribers implements OnApplicationBootstrap {
  private readonly inTransaction = new Map<string, Subscriber[]>();
  private readonly afterCommit = new Map<string, Subscriber[]>();

  constructor(
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
    private readonly reflector: Reflector,
  ) {}

  onApplicationBootstrap(): void {
    for (const { instance } of this.discovery.getProviders()) {
      if (!instance || typeof instance !== 'object') continue;
      for (const method of this.scanner.getAllMethodNames(Object.getPrototypeOf(instance))) {
        this.register(instance as Record<string, unknown>, method);
      }
    }
  }

  of(when: 'in-transaction' | 'after-commit', eventName: string): readonly Subscriber[] {
    return (when === 'in-transaction' ? this.inTransaction : this.afterCommit).get(eventName) ?? [];
  }

  /** The handler of a waiting delivery, or undefined when no such handler exists any more. */
  named(eventName: string, name: string): Subscriber | undefined {
    return this.of('after-commit', eventName).find((subscriber) => subscriber.name === name);
  }

  private register(instance: Record<string, unknown>, method: string): void {
    const handler = instance[method];
    if (typeof handler !== 'function') return;
    const onlyIf = this.reflector.get<string | undefined>(ONLY_IF, handler);
    const condition = onlyIf ? (instance[onlyIf] as (tx: Tx, payload: unknown) => Promise<boolean>) : null;
    const subscriber: Subscriber = {
      name: `${instance.constructor.name}.${method}`,
      call: (...args) => handler.apply(instance, args) as Promise<void>,
      isWanted: async (tx, payload) => (condition ? condition.call(instance, tx, payload) : true),
    };
    for (const [key, table] of [
      [IN_TRANSACTION, this.inTransaction],
      [AFTER_COMMIT, this.afterCommit],
    ] as const) {
      const eventName = this.reflector.get<string | undefined>(key, handler);
      if (eventName) table.set(eventName, [...(table.get(eventName) ?? []), subscriber]);
    }
  }
}
