import type { CardOnFile } from './tables.js';

export interface Decline {
  code: string;
  decline_code?: string;
  advice_code?: 'confirm_card_data' | 'do_not_try_again' | 'try_again_later';
  message: string;
}

export type Behaviour =
  | { kind: 'succeeds' }
  | { kind: 'declines'; decline: Decline }
  /** Saves without complaint; each charge fails. */
  | { kind: 'declines_later'; decline: Decline }
  | { kind: 'authenticates'; unlessSetUp: boolean; thenDeclines?: Decline }
  | { kind: 'is_disputed' }
  /** The sandbox's own: stays `processing` until the control API settles it. */
  | { kind: 'processes' };

export interface TestCard {
  number: string;
  name: string;
  /** The id that stands for it, where Stripe has one. */
  id?: string;
  behaviour: Behaviour;
}

const declined = (decline_code: string, message: string, advice_code: Decline['advice_code']): Decline => ({
  code: 'card_declined',
  decline_code,
  advice_code,
  message,
});
const REFUSED = 'Your card was declined.';
const GENERIC = declined('generic_decline', REFUSED, 'try_again_later');
const NO_FUNDS = declined('insufficient_funds', 'Your card has insufficient funds.', 'try_again_later');

const declines = (decline: Decline): Behaviour => ({ kind: 'declines', decline });

export const TEST_CARDS: TestCard[] = [
  { number: '4242424242424242', name: 'succeeds', id: 'pm_card_visa', behaviour: { kind: 'succeeds' } },
  { number: '5555555555554444', name: 'succeeds', id: 'pm_card_mastercard', behaviour: { kind: 'succeeds' } },
  { number: '4000000000000002', name: 'generic decline', id: 'pm_card_chargeDeclined', behaviour: declines(GENERIC) },
  {
    number: '4000000000009995',
    name: 'insufficient funds',
    id: 'pm_card_visa_chargeDeclinedInsufficientFunds',
    behaviour: declines(NO_FUNDS),
  },
  {
    number: '4000000000009987',
    name: 'lost card',
    id: 'pm_card_visa_chargeDeclinedLostCard',
    behaviour: declines(declined('lost_card', REFUSED, 'do_not_try_again')),
  },
  {
    number: '4000000000009979',
    name: 'stolen card',
    id: 'pm_card_visa_chargeDeclinedStolenCard',
    behaviour: declines(declined('stolen_card', REFUSED, 'do_not_try_again')),
  },
  {
    number: '4000000000000069',
    name: 'expired card',
    id: 'pm_card_chargeDeclinedExpiredCard',
    behaviour: declines({ code: 'expired_card', advice_code: 'confirm_card_data', message: 'Your card has expired.' }),
  },
  {
    number: '4000000000000127',
    name: 'incorrect CVC',
    id: 'pm_card_chargeDeclinedIncorrectCvc',
    behaviour: declines({
      code: 'incorrect_cvc',
      advice_code: 'confirm_card_data',
      message: "Your card's security code is incorrect.",
    }),
  },
  {
    number: '4000000000000119',
    name: 'processing error',
    id: 'pm_card_chargeDeclinedProcessingError',
    behaviour: declines({
      code: 'processing_error',
      advice_code: 'try_again_later',
      message: 'An error occurred while processing your card. Try again in a little bit.',
    }),
  },
  {
    number: '4000000000000341',
    name: 'saves, then each charge is declined',
    id: 'pm_card_chargeCustomerFail',
    behaviour: { kind: 'declines_later', decline: GENERIC },
  },
  {
    number: '4000002500003155',
    name: 'authenticates unless set up',
    id: 'pm_card_authenticationRequiredOnSetup',
    behaviour: { kind: 'authenticates', unlessSetUp: true },
  },
  {
    number: '4000002760003184',
    name: 'always authenticates',
    id: 'pm_card_authenticationRequired',
    behaviour: { kind: 'authenticates', unlessSetUp: false },
  },
  {
    number: '4000008260003178',
    name: 'authenticates, then insufficient funds',
    id: 'pm_card_authenticationRequiredChargeDeclinedInsufficientFunds',
    behaviour: { kind: 'authenticates', unlessSetUp: true, thenDeclines: NO_FUNDS },
  },
  {
    number: '4000000000000259',
    name: 'succeeds, then is disputed',
    id: 'pm_card_createDispute',
    behaviour: { kind: 'is_disputed' },
  },
  {
    number: '4000000000000093',
    name: 'stays processing until settled by the control API (sandbox only)',
    id: 'pm_sandbox_processing',
    behaviour: { kind: 'processes' },
  },
];

/** By number (spaces allowed) or by `pm_card_…` id. */
export function testCard(numberOrId: string): TestCard | undefined {
  const digits = numberOrId.replaceAll(/[\s-]/g, '');
  return TEST_CARDS.find((card) => card.number === digits || card.id === numberOrId);
}

export function behaviourOf(card: CardOnFile): Behaviour {
  return testCard(card.number)?.behaviour ?? { kind: 'succeeds' };
}

export const AUTHENTICATION_REQUIRED: Decline = {
  code: 'authentication_required',
  decline_code: 'authentication_required',
  message: 'Your card was declined. This transaction requires authentication.',
};

export type Outcome =
  | { result: 'succeeded'; disputed: boolean }
  | { result: 'declined'; decline: Decline }
  | { result: 'requires_action' }
  | { result: 'processing' };

/** What a charge of this card does. `present`: its holder is there; `authenticated`: and has just proved it. */
export function chargeOutcome(card: CardOnFile, { present = true, authenticated = false } = {}): Outcome {
  const behaviour = behaviourOf(card);
  switch (behaviour.kind) {
    case 'succeeds':
      return { result: 'succeeded', disputed: false };
    case 'is_disputed':
      return { result: 'succeeded', disputed: true };
    case 'processes':
      return { result: 'processing' };
    case 'declines':
    case 'declines_later':
      return { result: 'declined', decline: behaviour.decline };
    case 'authenticates': {
      const proven = authenticated || (card.set_up && behaviour.unlessSetUp);
      if (proven && behaviour.thenDeclines) return { result: 'declined', decline: behaviour.thenDeclines };
      if (proven) return { result: 'succeeded', disputed: false };
      return present ? { result: 'requires_action' } : { result: 'declined', decline: AUTHENTICATION_REQUIRED };
    }
  }
}

/** What saving this card for later does. */
export function setupOutcome(card: CardOnFile, { authenticated = false } = {}): Outcome {
  const behaviour = behaviourOf(card);
  if (behaviour.kind === 'declines') return { result: 'declined', decline: behaviour.decline };
  if (behaviour.kind === 'authenticates' && !authenticated) return { result: 'requires_action' };
  return { result: 'succeeded', disputed: false };
}
