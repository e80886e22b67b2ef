/** The uploads service: takes uploads in parts and makes files of them, for whoever asks on the bus. */
import { Bus, type Logger, Metrics, type Running, startInternalServer } from '@natter/runtime';
import { mostUnfinishedBytes, scansFiles, type UploadsConfig, uploadFolders } from './config.ts';
import { endpointMetrics, Load, uploadsEndpoint } from './endpoint.ts';
import { type Kept, KeptOpener } from './kept.ts';
import { every } from './rounds/every.ts';
import { rescan } from './rounds/rescan.ts';
import { sweep } from './rounds/sweep.ts';
import { TextQueue } from './rounds/text-queue.ts';
import { textRound } from './rounds/text-round.ts';
import { withWarnings } from './scan/with-warnings.ts';
import { warnOfPayload, warnOfScanner } from './start-warnings.ts';
import { FolderStore } from './store/folder/folder-store.ts';
import { NatsStore } from './store/nats/nats-store.ts';
import { Stores } from './store/stores.ts';
import { openTools, type Tools } from './tools.ts';
import { Uploads } from './uploads.ts';

/** Version of the service's interface, as discovery shows it. */
const VERSION = '1.0.0';
/** How often an instance looks for files to scan or to read the text of; each says itself when it is due. */
const LOOK_MS = 5_000;
/** How often it looks for what dead instances left. */
const SWEEP_MS = 60_000;

export async function startUploads(config: UploadsConfig, log: Logger, given?: Tools): Promise<Running> {
  const metrics = new Metrics('uploads');
  const load = new Load();
  const counters = endpointMetrics(metrics, load);
  const folders = uploadFolders(config);
  const folder = folders === null ? null : await FolderStore.open(folders);
  const tools = given ?? openTools(config);
  const bus = await Bus.connect({ url: config.natsUrl, name: 'uploads', nkeyFile: config.natsNkeyFile }, log);
  let serving = false;
  try {
    const inNats = new NatsStore(bus);
    const stores = folder === null ? new Stores(inNats) : new Stores(folder, [inNats]);
    const { replicas, quotaBytes } = config;
    const unfinishedBytes = mostUnfinishedBytes(config);
    const rescanMs = config.rescanSeconds * 1_000;
    const now = Date.now;
    const { kinds, extractor } = tools;
    const scanner = withWarnings(tools.scanner, { log, now });
    const opener = new KeptOpener({ bus, stores, replicas, quotaBytes, unfinishedBytes, now });
    const texts = {
      ...{ extractor, log, now },
      count: (result: string) => counters.texts.inc({ result }),
    };
    const queue = new TextQueue(() => opener.open(), texts);
    const uploads = new Uploads({
      ...{ bus, kinds, scanner, log, now, rescanMs, limits: config },
      finished: (result) => counters.finished.inc({ result }),
      ready: (file) => queue.add(file),
    });
    const internal = await startInternalServer({
      host: config.internalHost,
      port: config.internalPort,
      metrics,
      notReady: () => (!serving ? 'not serving' : bus.connected ? null : 'not connected to the broker'),
    });
    await bus.serve('uploads', VERSION, 'Takes uploads, scans and keeps files', [
      uploadsEndpoint({ uploads, opener, counters, load, log }),
    ]);
    const rescans = {
      ...{ bus, scanner, log, now, rescanMs },
      ready: queue.add.bind(queue),
      count: (verdict: string) => counters.rescans.inc({ verdict }),
    };
    const round = (ms: number, name: string, task: (kept: Kept) => Promise<void>) =>
      every(ms, name, async () => task(await opener.open()), log);
    const rounds = [
      round(Math.min(LOOK_MS, rescanMs), 'rescan', (kept) => rescan(kept, rescans)),
      round(LOOK_MS, 'texts', (kept) => textRound(kept, texts)),
      round(SWEEP_MS, 'sweep', (kept) => sweep({ ...uploads.completion(kept), log })),
    ];
    serving = true;
    const clamd = scansFiles(config) ? config.clamd : null;
    log.info({ store: stores.current.kind, folder: folders?.dir ?? null, clamd }, 'files are kept here');
    warnOfPayload(bus.maxPayload, config, log);
    if (clamd !== null) void warnOfScanner(scanner, clamd, log);
    return {
      ports: { internal: internal.port },
      bus,
      metrics,
      async stop() {
        serving = false;
        // A text that is being read goes on elsewhere.
        await extractor.close();
        await Promise.all([...rounds.map((one) => one.stop()), queue.stop()]);
        // Answers what is under way.
        await bus.close();
        await internal.close();
      },
    };
  } catch (error) {
    await bus.close();
    await tools.extractor.close();
    throw error;
  }
}
