/** Builds the React hook and component of seeds/002, as they stand there, into one page. */
import { join } from 'node:path';
import { type Plugin, rolldown } from 'rolldown';
import { codeBelow } from './seed-document.ts';

/** No file of it exists; packages are looked up from here. */
const FOLDER = join(import.meta.dirname, 'react-app');

/**
 * The sources by their names. The hook is a whole module in the seed; the component comes without
 * imports and exports, which are put around it.
 */
const SOURCES: Record<string, string> = {
  'useWebSocket.ts': codeBelow('React Hook', '002'),
  'ChatComponent.tsx': [
    `import { useState } from 'react';`,
    `import { useWebSocket } from './useWebSocket.ts';`,
    codeBelow('Usage in Component', '002'),
    `export { ChatComponent };`,
  ].join('\n'),
  'main.tsx': `
    import { createRoot } from 'react-dom/client';
    import { ChatComponent } from './ChatComponent.tsx';
    import { useWebSocket } from './useWebSocket.ts';

    const root = createRoot(document.getElementById('root'));
    function Session({ id }) {
      window.hook = useWebSocket(id);
      return null;
    }
    window.app = {
      show: () => root.render(<ChatComponent />),
      follow: (id) => root.render(<Session id={id} />),
      unmount: () => root.render(null),
    };
  `,
};

/** What `main.tsx` puts on the page's window. */
export interface ReactApp {
  app: {
    /** Renders the component of the seed. */
    show(): void;
    /** Renders nothing but the hook, for this session. */
    follow(sessionId: string): void;
    unmount(): void;
  };
  /** What the hook returned last to `follow`. */
  hook: {
    isConnected: boolean;
    messages: { type: string; content: string; tool_name?: string }[];
    sendMessage(content: string): void;
  };
}

/** HTML with the whole application in it. */
export async function buildReactPage(): Promise<string> {
  const bundle = await rolldown({
    input: join(FOLDER, 'main.tsx'),
    plugins: [fromSeed],
    transform: { define: { 'process.env.NODE_ENV': '"production"' } },
  });
  const { output } = await bundle.generate({ format: 'iife' });
  await bundle.close();
  // A script element ends at the first `</script`, wherever it stands.
  const script = output[0].code.replaceAll('</script', '<\\/script');
  return `<!doctype html><meta charset="utf-8"><title>seeds/002</title><div id="root"></div>
<script>${script}</script>`;
}

const fromSeed: Plugin = {
  name: 'from-seed',
  resolveId: (id, importer) => {
    const file = importer === undefined ? id : join(importer, '..', id);
    return fileName(file) in SOURCES ? file : null;
  },
  load: (id) => SOURCES[fileName(id)] ?? null,
};

function fileName(path: string): string {
  return path.startsWith(`${FOLDER}/`) ? path.slice(FOLDER.length + 1) : '';
}
