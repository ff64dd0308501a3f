import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';
import { withWhatAllRoutesShare } from './shared-responses.js';

export const apiDocument = (app: INestApplication): OpenAPIObject =>
  withWhatAllRoutesShare(
    SwaggerModule.createDocument(
      app,
      new DocumentBuilder()
        .setTitle('Drawdown')
        .setDescription('Credit-based billing. Money, credits, rates and quantities are exact decimals as text.')
        .setVersion('1')
        .addApiKey({ type: 'apiKey', in: 'header', name: 'x-api-key' }, 'api-key')
        .addSecurityRequirements('api-key')
        .build(),
    ),
  );

/** Swagger UI at /docs, the document at /docs/json. */
export function describeApi(app: INestApplication): void {
  SwaggerModule.setup('docs', app, () => apiDocument(app), { jsonDocumentUrl: 'docs/json' });
}
