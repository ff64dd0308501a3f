import { Injectable, SetMetadata, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyRequest } from 'fastify';
import { Problem } from '../http/problem.js';
import { requestContext } from '../http/request-context.js';
import { ApiKeys } from './api-keys.js';

const PUBLIC = 'auth:public';

/** The route needs no API key: it is public, or proves its caller in another way (a signature). */
export const Public = () => SetMetadata(PUBLIC, true);

@Injectable()
export class ApiKeyGuard implements CanActivate {
  constructor(
    private readonly keys: ApiKeys,
    private readonly reflector: Reflector,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    if (this.reflector.getAllAndOverride<boolean>(PUBLIC, [context.getHandler(), context.getClass()])) return true;
    const header = context.switchToHttp().getRequest<FastifyRequest>().headers['x-api-key'];
    const scope = typeof header === 'string' && header !== '' ? await this.keys.open(header) : null;
    if (!scope) throw Problem.unauthorized();
    requestContext.getStore()!.scope = scope;
    return true;
  }
}
