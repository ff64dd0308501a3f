import { ValidationPipe, type ValidationError } from '@nestjs/common';
import { Problem } from './problem.js';
import { NOT_YET } from './validators.js';

/** Refuses what a DTO doesn't declare or accept; the answer names the field by its path. */
export const validationPipe = () =>
  new ValidationPipe({
    whitelist: true,
    forbidNonWhitelisted: true,
    forbidUnknownValues: true,
    transform: true,
    stopAtFirstError: true,
    exceptionFactory: (errors) => toProblem(errors),
  });

function toProblem(errors: ValidationError[]): Problem {
  const [path, message, constraint] = firstFailure(errors, '');
  return new Problem(constraint === NOT_YET ? 'invalid_operation' : 'validation_error', message, { field: path });
}

function firstFailure(errors: ValidationError[], parent: string): [path: string, message: string, constraint?: string] {
  const error = errors[0]!;
  const index = /^\d+$/.test(error.property);
  const path = parent === '' ? error.property : index ? `${parent}[${error.property}]` : `${parent}.${error.property}`;
  if (error.constraints) {
    const [constraint, message] = Object.entries(error.constraints)[0]!;
    if ('whitelistValidation' in error.constraints) return [path, `${path} is not a known field`];
    return [path, message.replace(error.property, path), constraint];
  }
  return error.children?.length ? firstFailure(error.children, path) : [path, `${path} is not valid`];
}
