export type { WalletBalance } from './balances.js';
export { chainFault, type ChainedEntry } from './ledger.js';
export { LedgerEntry } from './ledger-entry.entity.js';
export { Lot, type LotSource } from './lot.entity.js';
export type { Cause, Movement, MovementKind, MovementNote, TransactionReason } from './movement.js';
export type { Purses } from './purses.js';
export { Wallet, type AutoTopup, type PriceType, type WalletStatus } from './wallet.entity.js';
export { WalletsModule } from './wallets.module.js';
export { WalletsService, type NewLot, type NewWallet } from './wallets.service.js';
