/** The nats-server configuration of a broker on one machine, as text. */

export interface BrokerConfig {
  port: number;
  /** Where JetStream keeps its files. */
  storeDir: string;
  /** Lines to append, in nats-server's own syntax. */
  extra?: string;
}

/**
 * Text of a configuration file.
 *
 * Only the client listener is opened, on 127.0.0.1: websocket, mqtt, leafnode and monitoring
 * stay off because nothing here uses them.
 */
export function brokerConfig({ port, storeDir, extra }: BrokerConfig): string {
  return `# Written at each start; do not edit.
server_name: natter
listen: "127.0.0.1:${port}"
# Above one upload chunk of 1 MiB with its headers.
max_payload: 2MB
jetstream {
  store_dir: ${JSON.stringify(storeDir)}
  # The default, every 2 minutes, loses acknowledged messages in a power cut.
  sync_interval: always
  # Streams reserve their max_bytes: see runtime/src/bus/topology.ts, about 24 GiB.
  max_file_store: 32GB
  # EVENTS and the rate limits: 704 MiB.
  max_memory_store: 1GB
}
${extra ?? ''}`;
}
