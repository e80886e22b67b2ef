/** What `npm start` says when everything runs. */

export interface Greeting {
  host: string;
  port: number;
  demoModel: boolean;
  /** The master token, or where it is. */
  masterToken: string;
}

const ANYWHERE = ['127.0.0.1', '0.0.0.0', '::', '::1'];

export function greeting({ host, port, demoModel, masterToken }: Greeting): string {
  const origin = `http://${ANYWHERE.includes(host) ? 'localhost' : host}:${port}`;
  const model = demoModel
    ? 'the demo model answers; set OPENAI_API_KEY for a real one'
    : 'the one that your OPENAI_ or OPENROUTER_ variables name';
  return `Natter is ready on ${origin}
  page   ${origin}/ws/test
  token  npm run -s token -- --sub alice
  model  ${model}
  master ${masterToken}
`;
}
