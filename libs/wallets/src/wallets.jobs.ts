import type { DueWork } from '@drawdown/contracts';
import { Due, type Tx } from '@drawdown/platform';
import { Injectable } from '@nestjs/common';
import { WalletLifecycle } from './wallet-lifecycle.service.js';

@Injectable()
export class WalletsJobs {
  constructor(private readonly lifecycle: WalletLifecycle) {}

  @Due('lot.write_off')
  async writeOff(tx: Tx, work: DueWork): Promise<void> {
    await this.lifecycle.writeOff(tx, work.subjectId);
  }
}
