import { ApiProperty } from '@nestjs/swagger';

/** A key the published client expects in every answer and that has no meaning here: always null. */
export const UnusedKey = (): PropertyDecorator =>
  ApiProperty({ type: Object, nullable: true, example: null, description: 'Not used: always null.' });
