import { Migration } from '@mikro-orm/migrations';

export class CustomersMigration extends Migration {
  override up(): void {}
}
