/** Settings of `npm start` itself. */
import { kinds, setting } from '@natter/runtime/config';

export const START_SETTINGS = {
  natsPort: setting(
    'NATTER_NATS_PORT',
    kinds.integer(0, 0, 65_535),
    'Port of the nats-server that `npm start` starts on 127.0.0.1. 0 picks a free one.',
  ),
  demoModelPort: setting(
    'DEMO_MODEL_PORT',
    kinds.integer(0, 0, 65_535),
    'Port of the demo model, which answers where no model is configured. 0 picks a free one.',
  ),
};
