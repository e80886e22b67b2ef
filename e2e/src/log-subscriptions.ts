/** To which log lines the processes of a stack are subscribed, as the broker tells it. */

/** nats-server's monitoring, switched on by one more line of its configuration. */
export function monitoring(port: number): string {
  return `http: "127.0.0.1:${port}"`;
}

/** Subjects below `logs.out`, of all connections, sorted; one that two have stands there twice. */
export async function logSubscriptions(port: number): Promise<string[]> {
  const response = await fetch(`http://127.0.0.1:${port}/connz?subs=true&limit=1000`);
  if (!response.ok) throw new Error(`the broker answered ${response.status} to /connz`);
  const { connections } = (await response.json()) as { connections: { subscriptions_list?: string[] }[] };
  const subjects = connections.flatMap(({ subscriptions_list: list = [] }) => list);
  return subjects.filter((subject) => subject.startsWith('logs.')).toSorted();
}
