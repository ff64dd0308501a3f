import { Migration } from '@mikro-orm/migrations';

export class StripeMigration extends Migration {
  override up(): void {}
}
