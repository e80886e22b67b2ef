/** Puts the agent together. */
import { randomBytes } from 'node:crypto';
import { BUCKETS, CONSUMERS, STREAMS } from '@natter/proto';
import {
  type BaseConfig,
  Bus,
  type ConfigOf,
  keepTopology,
  type Logger,
  Metrics,
  type Running,
  startInternalServer,
} from '@natter/runtime';
import { loadAgents } from './agents/agent-catalogue.ts';
import type { Orchestrator } from './agents/answer.ts';
import { createModels } from './agents/model-choice.ts';
import { createOrchestrator } from './agents/orchestrator.ts';
import { agentsDir } from './agents/settings.ts';
import type { AGENT_SETTINGS } from './config.ts';
import { Transcripts } from './history/transcripts.ts';
import { ConversationFiles } from './knowledge/conversation-files.ts';
import { openKnowledge } from './knowledge/knowledge.ts';
import { knowledgeDir } from './knowledge/settings.ts';
import { registerAgentMetrics } from './metrics.ts';
import { createOpenAiModel } from './model/openai/openai-model.ts';
import { loadPrices } from './model/prices.ts';
import { modelProviders } from './model/providers.ts';
import { pricesFile } from './model/settings.ts';
import { AppointmentBook } from './tools/appointments/appointment-book.ts';
import { createAppointmentTools } from './tools/appointments/appointment-tools.ts';
import { loadCatalogue } from './tools/catalogue/catalogue-file.ts';
import { createCatalogueTools } from './tools/catalogue/catalogue-tools.ts';
import { catalogueFile } from './tools/catalogue/settings.ts';
import { createToolBox } from './tools/tool-box.ts';
import { Cancellations } from './turn/cancellations.ts';
import { Claims } from './turn/claims.ts';
import { Intake } from './turn/intake.ts';
import { PublishRounds } from './turn/publish-rounds.ts';
import { TurnRunner } from './turn/turn-runner.ts';

export type AgentConfig = ConfigOf<typeof AGENT_SETTINGS> & BaseConfig;

/**
 * Starts an agent.
 *
 * Rejects when the broker can't be reached, or when no model is named or a file can't be used.
 */
export async function startAgent(config: AgentConfig, log: Logger): Promise<Running> {
  const name = `agent-${randomBytes(6).toString('hex')}`;
  const metrics = new Metrics('agent');
  const bus = await Bus.connect({ url: config.natsUrl, name: 'agent', nkeyFile: config.natsNkeyFile }, log);
  const topology = await keepTopology(bus, config, log);
  const orchestrator = await assemble(config, bus, log);

  const claims = new Claims(bus, await bus.bucket(BUCKETS.runs), name, log);
  const runner = new TurnRunner({
    bus,
    claims,
    transcripts: new Transcripts(bus, log),
    cancellations: new Cancellations(bus, log),
    orchestrator,
    rounds: new PublishRounds(),
    metrics: registerAgentMetrics(metrics, { runs: () => claims.size }),
    log,
    now: Date.now,
  });
  const intake = new Intake(bus, bus.puller(STREAMS.turns, CONSUMERS.agents), runner, config, log);

  const notReady = () => {
    if (!bus.connected) return 'the broker is unreachable';
    return topology.complete ? null : 'the streams are not made yet';
  };
  const internal = await startInternalServer({
    host: config.internalHost,
    port: config.internalPort,
    metrics,
    notReady,
  });
  claims.answerHolders();
  intake.start();

  return {
    bus,
    metrics,
    ports: { internal: internal.port },
    async stop() {
      await intake.stop();
      await orchestrator.close();
      await bus.close();
      await internal.close();
    },
  };
}

async function assemble(config: AgentConfig, bus: Bus, log: Logger): Promise<Orchestrator> {
  const providers = modelProviders(config);
  if (providers === null) {
    throw new Error(
      'No model: set OPENAI_API_KEY, OPENROUTER_API_KEY or OPENAI_BASE_URL. `npm start` brings a demo model.',
    );
  }
  const { usual, options } = providers;
  log.info({ provider: usual, model: options.get(usual)?.model, providers: [...options.keys()] }, 'model');
  const book = new AppointmentBook(await bus.bucket(BUCKETS.appointments));
  const catalogue = await loadCatalogue(catalogueFile(config));
  const tools = createToolBox([...createAppointmentTools(book), ...createCatalogueTools(catalogue)]);
  return createOrchestrator({
    models: createModels(providers, config.allowedModels, createOpenAiModel),
    prices: await loadPrices(pricesFile(config)),
    clientMaxTokens: config.clientMaxTokens,
    agents: await loadAgents(agentsDir(config), tools.names),
    knowledge: await openKnowledge({ dir: knowledgeDir(config), log }),
    files: new ConversationFiles({ stored: bus.stored }),
    tools,
  });
}
