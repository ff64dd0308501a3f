import { Migration } from '@mikro-orm/migrations';

export class CatalogueMigration extends Migration {
  override up(): void {}
}
