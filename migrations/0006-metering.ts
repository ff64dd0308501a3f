import { Migration } from '@mikro-orm/migrations';

export class MeteringMigration extends Migration {
  override up(): void {}
}
