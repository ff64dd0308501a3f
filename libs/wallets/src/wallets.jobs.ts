import type { DueWork } from '@drawdown/contracts';
import { Due, type Tx } from '@drawdown/platform';
import { Injectable } from '@nestjs/common';
import { WalletWatch } from './wallet-watch.service.js';

@Injectable()
export class WalletsJobs {
  constructor(private readonly watch: WalletWatch) {}

  /** Time alone has changed something: looked at after all else of the instant, before the commit. */
  @Due('wallet.look')
  look(tx: Tx, { subjectId }: DueWork): Promise<void> {
    this.watch.mark(tx, [subjectId]);
    return Promise.resolve();
  }
}
