import { type AlertSettings, type AutoTopUpRule, crossAlert, Decimal, isTopUpDue, text } from '@drawdown/billing-core';
import { autoTopUpFellDue, autoTopUpOutdated, balanceAlertRaised, balanceAlertRecovered } from '@drawdown/contracts';
import { Agenda, EventBus, type Tx } from '@drawdown/platform';
import { Injectable } from '@nestjs/common';
import { sql } from 'kysely';
import { stateOf, topUpRule } from './auto-topup.js';
import { balancesOf } from './balances.js';
import { named, Wallet } from './wallet.entity.js';
import { marksAround, type WatchMarks } from './watch-marks.js';

/**
 * Looks after balances: low-balance alerts and automatic top-ups. MEANING "Time": "Alerts and auto top-up look only at
 * the state after all of it", so a wallet is marked while a transaction works and looked at when it is done; what time
 * alone changes (credits expire, a back-off ends) is due work. Between two looks `post` compares what can be spent with
 * the nearest thresholds, which stand beside the balance it moves: nothing is read or written for a wallet that stays
 * between them.
 */
@Injectable()
export class WalletWatch {
  private readonly marked = new WeakMap<Tx, Set<string>>();

  constructor(
    private readonly events: EventBus,
    private readonly agenda: Agenda,
  ) {}

  /** Has the wallets looked at before the commit. */
  mark(tx: Tx, walletIds: Iterable<string>): void {
    let marked = this.marked.get(tx);
    if (!marked) {
      this.marked.set(tx, (marked = new Set()));
      tx.beforeCommit(() => this.look(tx));
    }
    for (const id of walletIds) marked.add(id);
  }

  /**
   * Looks now at what was marked so far, for an answer that shows it. Where earlier instants are still to be caught up
   * (after an outage) it waits for the last of them: credits that have expired meanwhile may have been renewed.
   */
  async look(tx: Tx): Promise<void> {
    const ids = [...(this.marked.get(tx) ?? [])];
    this.marked.delete(tx);
    if (ids.length === 0) return;
    await tx.em.flush();
    const where = { environmentId: tx.scope.environmentId, id: { $in: ids } };
    const wallets = await tx.em.find(Wallet, where, { orderBy: { id: 'asc' }, refresh: true });
    const balances = await balancesOf(tx, ids);
    const behind = await this.agenda.behind(
      tx,
      [...new Set(wallets.map((wallet) => wallet.customerId))],
      'wallet.look',
    );
    for (const wallet of wallets) {
      if (behind.includes(wallet.customerId)) await this.schedule(tx, wallet, tx.now);
      else await this.lookAt(tx, wallet, balances.get(wallet.id)!.realTimeCreditBalance);
    }
    await tx.em.flush();
  }

  private async lookAt(tx: Tx, wallet: Wallet, spendable: Decimal): Promise<void> {
    const rule = wallet.status === 'active' ? topUpRule(wallet) : null;
    const alerts = wallet.status === 'active' ? alertRule(wallet) : null;
    const marks = rule || alerts ? marksAround(spendable, thresholdsOf(rule?.threshold, alerts)) : null;
    await this.remember(tx, wallet, marks);
    await this.tellAlert(tx, wallet, spendable, alerts);
    await this.tellTopUp(tx, wallet, spendable, rule);
    await this.lookAgain(tx, wallet, rule !== null || alerts !== null);
  }

  private async tellTopUp(tx: Tx, wallet: Wallet, spendable: Decimal, rule: AutoTopUpRule | null): Promise<void> {
    const balance = { ...named(wallet), balance: text(spendable) };
    if (rule && isTopUpDue(spendable, rule.threshold)) return this.events.publish(tx, autoTopUpFellDue, balance);
    const { invoice_id: invoiceId, status } = stateOf(wallet);
    if (invoiceId && status !== 'in_progress') {
      await this.events.publish(tx, autoTopUpOutdated, { ...balance, invoice_id: invoiceId });
    } else if (status === 'waiting') {
      wallet.autoTopupState = { ...stateOf(wallet), status: 'ready', reason: null, next_attempt_at: null };
    }
  }

  private async tellAlert(tx: Tx, wallet: Wallet, balance: Decimal, alerts: AlertSettings | null): Promise<void> {
    if (!alerts) {
      // A frozen wallet rests: it is told when it goes on.
      if (wallet.status !== 'frozen') wallet.alertLevel = 'ok';
      return;
    }
    const previous = wallet.alertLevel;
    const { level, announce } = crossAlert(previous, balance, alerts);
    if (!announce) return;
    wallet.alertLevel = level;
    const told = { ...named(wallet), level, previous_level: previous, balance: text(balance) };
    await this.events.publish(tx, announce === 'raised' ? balanceAlertRaised : balanceAlertRecovered, told);
  }

  /** What can be spent is taken as `post` goes on with it: expired holds count until they are freed. */
  private async remember(tx: Tx, { id }: Wallet, marks: WatchMarks | null): Promise<void> {
    const { environmentId } = tx.scope;
    const [low, high] = [marks?.low, marks?.high].map((mark) => (mark ? text(mark) : null));
    await sql`
      update wallet w
      set watch_low = ${low}::numeric, watch_high = ${high}::numeric, spendable = case when ${marks !== null}::boolean then (
        select coalesce(sum(remaining - held), 0) from lot
        where wallet_id = w.id and not exhausted and written_off_at is null
          and effective_at <= ${tx.now} and (expires_at is null or expires_at > ${tx.now})) end
      where environment_id = ${environmentId} and id = ${id}`.execute(tx.db);
  }

  /** When time alone changes what can be spent, or an automatic top-up has waited long enough. */
  private async lookAgain(tx: Tx, wallet: Wallet, watched: boolean): Promise<void> {
    const asked = wallet.autoTopupState?.next_attempt_at;
    const instants = [watched ? await nextChange(tx, wallet.id) : null, watched && asked ? new Date(asked) : null];
    const [next] = instants.filter((at) => at !== null && at > tx.now).toSorted((a, b) => Number(a) - Number(b));
    if (!next) return this.agenda.cancel(tx, 'wallet.look', wallet.id);
    await this.schedule(tx, wallet, next);
  }

  private schedule(tx: Tx, { id: subjectId, customerId }: Wallet, dueAt: Date): Promise<void> {
    return this.agenda.schedule(tx, { kind: 'wallet.look', customerId, subjectId, dueAt });
  }
}

/** Whether somebody wants to know of its balance. */
export const isWatched = (wallet: Wallet): boolean => topUpRule(wallet) !== null || alertRule(wallet) !== null;

function alertRule({ alertSettings: settings }: Wallet): AlertSettings | null {
  if (!settings?.alert_enabled) return null;
  const [info, warning, critical] = [settings.info, settings.warning, settings.critical].map(
    (level) => level && { condition: level.condition, threshold: new Decimal(level.threshold) },
  );
  return { enabled: true, info, warning, critical };
}

const thresholdsOf = (topUp: Decimal | undefined, alerts: AlertSettings | null): Decimal[] => [
  ...(topUp ? [topUp] : []),
  ...[alerts?.info, alerts?.warning, alerts?.critical].flatMap((level) => (level ? [level.threshold] : [])),
];

/** The next instant at which one of its lots expires or takes effect; one that is empty may be given back to until then. */
async function nextChange(tx: Tx, walletId: string): Promise<Date | null> {
  const found = await sql<{ at: string | null }>`
    select min(at) at from lot, unnest(array[effective_at, expires_at]) at
    where environment_id = ${tx.scope.environmentId} and wallet_id = ${walletId} and written_off_at is null
      and at > ${tx.now}`.execute(tx.db);
  const at = found.rows[0]!.at;
  return at === null ? null : new Date(at);
}
