import { describe, expect, it } from '@jest/globals';
import { ownership, UnknownObject } from './ownership.js';

const here = { tenantId: 'tenant_1', environmentId: 'env_1' };
const ours = { ...here, customerId: 'cust_1' };
const theirs = { tenantId: 'tenant_2', environmentId: 'env_2', customerId: 'cust_2' };
const object = (environmentId?: string): Parameters<typeof ownership>[2] => ({
  id: 'pi_1',
  metadata: environmentId ? { environment_id: environmentId } : {},
});

describe('an object at Stripe', () => {
  it('belongs to the environment whose customer it names', () => {
    expect(ownership(here, ours, object('env_1'))).toEqual({ customerId: 'cust_1' });
    expect(ownership(here, ours, object())).toEqual({ customerId: 'cust_1' });
  });

  it('of a customer of another environment is none of our business, whatever its metadata says', () => {
    expect(ownership(here, theirs, object('env_1'))).toHaveProperty('ignored');
  });

  it("of no known customer is not ours by its metadata, but may be somebody else's", () => {
    expect(() => ownership(here, undefined, object('env_1'))).toThrow(UnknownObject);
    expect(() => ownership(here, undefined, object())).toThrow(UnknownObject);
    expect(ownership(here, undefined, object('env_2'))).toHaveProperty('ignored');
  });

  it('of our customer that names another environment is suspicious', () => {
    expect(() => ownership(here, ours, object('env_2'))).toThrow(/names another/);
  });
});
