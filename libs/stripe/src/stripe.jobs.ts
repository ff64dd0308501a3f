import { SETTINGS, type Settings } from '@drawdown/platform';
import {
  Inject,
  Injectable,
  Logger,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { Reconciliation } from './reconciliation.js';
import { StripeInbox } from './stripe-inbox.js';
import { WebhookEndpoints } from './webhook-endpoints.js';

const INBOX_MS = 1_000;
const RECONCILIATION_MS = 300_000;
const REGISTRATION_MS = 60_000;

/** What goes on by itself, in real time: waiting events, the sweep for untold ones, the registration of webhooks. */
@Injectable()
export class StripeJobs implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly log = new Logger(StripeJobs.name);
  private readonly running = new Map<string, Promise<void>>();
  private stopping = false;

  constructor(
    private readonly inbox: StripeInbox,
    private readonly reconciliation: Reconciliation,
    private readonly endpoints: WebhookEndpoints,
    @Inject(SETTINGS) private readonly settings: Settings,
  ) {}

  onApplicationBootstrap(): void {
    this.register();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.stopping = true;
    await Promise.allSettled(this.running.values());
  }

  @Interval(INBOX_MS)
  handle(): void {
    if (this.settings.ROLE !== 'api') this.start('inbox', () => this.inbox.handleDue());
  }

  @Interval(RECONCILIATION_MS)
  reconcile(): void {
    if (this.settings.ROLE === 'api') return;
    this.start('reconciliation', async () => {
      await this.reconciliation.sweepEvents();
      await this.reconciliation.sweepCheckouts();
      await this.reconciliation.forget();
    });
  }

  /** Of the process that answers HTTP: the address is its own. */
  @Interval(REGISTRATION_MS)
  register(): void {
    if (this.settings.ROLE !== 'worker') this.start('registration', () => this.endpoints.register());
  }

  /** One of a kind at a time; a failure is told and the next turn tries again. */
  private start(name: string, work: () => Promise<void>): void {
    if (this.stopping || this.running.has(name)) return;
    const run = work()
      .catch((error: Error) => this.log.warn(`${name}: ${error.stack}`))
      .finally(() => this.running.delete(name));
    this.running.set(name, run);
  }
}
