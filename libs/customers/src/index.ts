export { Customer } from './customer.entity.js';
export { CustomerView, customerView } from './customers.dto.js';
export { CustomersModule } from './customers.module.js';
export {
  CustomersService,
  type CustomerNames,
  type CustomerReference,
  type LockedCustomer,
  type LockWait,
} from './customers.service.js';
