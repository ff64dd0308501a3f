/** What the connections of this process are called in `pg_stat_activity`. */
export const applicationName = `drawdown ${process.pid}`;
