/** Log lines of others that hold secrets where a log line may: in its text, and in fields at any depth. */

/** `sign` makes what looks like a token of ours, `secret` a secret that is known by what is around it. */
export function secretLines(secret: () => string, sign: () => string): Record<string, unknown>[] {
  const texts = [
    () => `GET /ws/chat?token=${secret()} took 3 ms`,
    () => `GET /x?a=b&access_token=${secret()}&c=d`,
    () => `redirected to /login?next=%2Fws%3Ftoken%3D${secret()}`,
    () => `Authorization: Bearer ${secret()}`,
    () => `sent headers {"authorization":"Basic ${secret()}","x-api-key":"${secret()}"}`,
    () => `connecting to nats://user:${secret()}@127.0.0.1:4222 and amqp://${secret()}@host/`,
    () => `got {"access_token": "${secret()}", "password":"${secret()}"}`,
    () => `a token ${sign()} expired`,
  ];
  return [
    ...texts.map((text) => ({ msg: text() })),
    ...texts.map((text) => ({ msg: 'nested', request: { lines: [{ text: text() }] } })),
    { msg: 'by name', token: secret(), password: { value: secret() }, session: { cookie: [secret()] } },
    { msg: 'by name', headers: { Authorization: secret(), 'set-cookie': [secret()], 'API-KEY': secret() } },
    { msg: 'by name', a: { b: { c: { client_secret: secret(), refreshToken: secret(), seed: secret() } } } },
    { msg: `${'long '.repeat(4_000)}token=${secret()}`, token: secret() },
    { msg: `${'x'.repeat(16_200)} ${sign()} cut in the middle` },
    { msg: 'err', err: { message: `refused ${sign()}`, stack: `Error: ?token=${secret()}\n    at x` } },
  ];
}
