import type { DueWork } from '@drawdown/contracts';
import { Due, type Tx } from '@drawdown/platform';
import { Injectable } from '@nestjs/common';
import { LateMatches } from './late-matches.service.js';

@Injectable()
export class MeteringJobs {
  constructor(private readonly late: LateMatches) {}

  @Due('usage.retry')
  async retry(tx: Tx, work: DueWork): Promise<void> {
    await this.late.retry(tx, work.customerId, work.subjectId);
  }
}
