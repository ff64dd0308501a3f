export { Customer } from './customer.entity.js';
export { CustomerView, customerView } from './customers.dto.js';
export { CustomersModule } from './customers.module.js';
export { CustomersService, type CustomerReference } from './customers.service.js';
