import { dueWorkOrder, type DueWork, type DueWorkKind } from '@drawdown/contracts';
import { Injectable, SetMetadata, type OnApplicationBootstrap } from '@nestjs/common';
import { DiscoveryService, MetadataScanner, Reflector } from '@nestjs/core';
import type { Tx } from '../database/transactions.js';

const DUE = 'jobs:due';

/** The method does the work of this kind when it falls due: `(tx, work)`, inside the customer's transaction. */
export const Due = (kind: DueWorkKind) => SetMetadata(DUE, kind);

export type DueHandler = (tx: Tx, work: DueWork) => Promise<void>;

/** Finds the method of each kind of due work once, at start; a kind nobody does or two do is a programming error. */
@Injectable()
export class DueHandlers implements OnApplicationBootstrap {
  private readonly handlers = new Map<DueWorkKind, DueHandler>();

  constructor(
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
    private readonly reflector: Reflector,
  ) {}

  onApplicationBootstrap(): void {
    for (const { instance } of this.discovery.getProviders()) {
      if (!instance || typeof instance !== 'object') continue;
      for (const method of this.scanner.getAllMethodNames(Object.getPrototypeOf(instance))) {
        const handler = (instance as Record<string, unknown>)[method];
        const kind =
          typeof handler === 'function' ? this.reflector.get<DueWorkKind | undefined>(DUE, handler) : undefined;
        if (!kind) continue;
        if (this.handlers.has(kind)) throw new Error(`two handlers for due work ${kind}`);
        this.handlers.set(kind, (handler as DueHandler).bind(instance));
      }
    }
    const missing = dueWorkOrder.filter((kind) => !this.handlers.has(kind));
    if (missing.length > 0) throw new Error(`no handler for due work: ${missing.join(', ')}`);
  }

  of(kind: DueWorkKind): DueHandler {
    return this.handlers.get(kind)!;
  }
}
