import { ApiProperty } from '@nestjs/swagger';
import { IsString, MaxLength } from 'class-validator';
import { PageQuery, PaginationView, type ListView } from '../http/pagination.js';
import { Optional } from '../http/validators.js';

/** Something that was to be done and could not be: due work of a customer, or an event's delivery to a handler. */
export class FailureView {
  kind: 'due_work' | 'delivery';
  /** The customer whose work waits, or the event that was not delivered. */
  subject_id: string;
  /** What was to be done. */
  name: string;
  attempts: number;
  error: string;
  /** True when it is tried again only after `POST /v1/failures/retry`. */
  given_up: boolean;
}

export class FailureListView implements ListView<FailureView> {
  @ApiProperty({ type: [FailureView] })
  items: FailureView[];
  pagination: PaginationView;
}

export class RetryFailureBody {
  /** The `subject_id` of a failure: everything that failed for it is tried again. */
  @IsString()
  @MaxLength(255)
  subject_id: string;
}

export class RetriedView {
  retried: number;
}

export class FailurePageQuery extends PageQuery {
  /** Only what failed for this customer or event. */
  @Optional()
  @IsString()
  @MaxLength(255)
  subject_id?: string;
}
