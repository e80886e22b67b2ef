/** What one of several processes may hold of the gateway's limits. */

interface Limits {
  maxConnections: number;
  maxConnectionsPerAddress: number;
  maxConnectionsPerUser: number;
  maxLogReaders: number;
}

/**
 * The limits of one of `of` processes.
 *
 * Which process gets a connection is chance. Limits of one user or address have room for it, so that
 * nobody within the limit is refused; the gateway as a whole may hold a little more. That of all
 * connections is divided: the parent shares out what is free every second (connection-shares.ts).
 */
export function shareOfLimits<C extends Limits>(config: C, of: number): C {
  return {
    ...config,
    maxConnections: Math.ceil(config.maxConnections / of),
    maxConnectionsPerAddress: shareWithChance(config.maxConnectionsPerAddress, of),
    maxConnectionsPerUser: shareWithChance(config.maxConnectionsPerUser, of),
    maxLogReaders: shareWithChance(config.maxLogReaders, of),
  };
}

/** Four standard deviations of a binomial: one in 30,000 such crowds is larger. */
const DEVIATIONS = 4;

/** The most that chance gives one of `of` processes of `limit` connections. */
export function shareWithChance(limit: number, of: number): number {
  const mean = limit / of;
  const deviation = Math.sqrt(mean * (1 - 1 / of));
  return Math.min(limit, Math.ceil(mean + DEVIATIONS * deviation));
}
