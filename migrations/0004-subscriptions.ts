import { Migration } from '@mikro-orm/migrations';

export class SubscriptionsMigration extends Migration {
  override up(): void {}
}
