/** What can be wrong with a request, and the status that says so (wire contract, section 3). */
const statusOf = {
  validation_error: 400,
  invalid_operation: 400,
  unauthorized: 401,
  permission_denied: 403,
  not_found: 404,
  already_exists: 409,
  invalid_state: 409,
  idempotency_conflict: 409,
  payload_too_large: 413,
  too_many_requests: 429,
  internal_error: 500,
  not_implemented: 501,
  service_unavailable: 503,
} as const;

export type ProblemCode = keyof typeof statusOf;

/** An error a caller can understand and act on: a stable code, a sentence, and the field it is about. */
export class Problem extends Error {
  readonly status: number;

  constructor(
    readonly code: ProblemCode,
    message: string,
    readonly details: { readonly field?: string } & Record<string, unknown> = {},
  ) {
    super(message);
    this.status = statusOf[code];
  }

  /** 401: unknown, revoked and expired keys look the same. */
  static unauthorized(): Problem {
    return new Problem('unauthorized', 'a valid API key is required in the header x-api-key');
  }

  /** 400: the value of `field` can't be accepted. */
  static invalid(field: string, message: string): Problem {
    return new Problem('validation_error', `${field} ${message}`, { field });
  }

  /** 400: understood, but this version doesn't do it. */
  static unsupported(field: string, message: string): Problem {
    return new Problem('invalid_operation', `${field} ${message}`, { field });
  }

  /** 404; also for what belongs to another tenant or environment. */
  static notFound(what: string, id: string): Problem {
    return new Problem('not_found', `${what} ${id} was not found`, { [`${what.replaceAll(' ', '_')}_id`]: id });
  }

  /** 409: something with the same key exists. */
  static exists(field: string, message: string): Problem {
    return new Problem('already_exists', `${field} ${message}`, { field });
  }

  /** 409: the move isn't allowed in the state the thing is in. */
  static state(message: string, state: string): Problem {
    return new Problem('invalid_state', message, { state });
  }
}

/** Does the work for one part of a request: a problem of it names its field by the path from the whole. */
export async function within<T>(part: string, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    const { code, message, details, cause } = error;
    const path = details.field === undefined ? part : `${part}.${details.field}`;
    const sentence = details.field === undefined ? `${part}: ${message}` : `${part}.${message}`;
    throw Object.assign(new Problem(code, sentence, { ...details, field: path }), { cause });
  }
}
