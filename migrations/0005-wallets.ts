import { Migration } from '@mikro-orm/migrations';

export class WalletsMigration extends Migration {
  override up(): void {}
}
