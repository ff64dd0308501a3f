import { GroupLane, type GroupOutcome } from './group-lane.js';
import type { IngestRequest, IngestResult } from './incoming-event.js';

/** What became of a request of a group: its results, or why nothing of it was taken. */
export type RequestOutcome = GroupOutcome<readonly IngestResult[]>;

/** Events that may wait in a lane; more are refused at once rather than kept waiting for long. */
export const MAX_WAITING_EVENTS = 20_000;
/** Events of one transaction, unless a single request has more. */
export const MAX_GROUP_EVENTS = 2_000;

/** The lane of events: requests of many callers share transactions. */
export class IngestionLane extends GroupLane<IngestRequest, readonly IngestResult[]> {
  constructor(takeGroup: (requests: readonly IngestRequest[]) => Promise<readonly RequestOutcome[]>) {
    super(takeGroup, { waiting: MAX_WAITING_EVENTS, group: MAX_GROUP_EVENTS }, ({ events }) => events.length);
  }
}
