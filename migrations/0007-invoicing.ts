import { Migration } from '@mikro-orm/migrations';

export class InvoicingMigration extends Migration {
  override up(): void {}
}
