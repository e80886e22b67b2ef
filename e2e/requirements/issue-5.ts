/** What issue 5 demands: speed, measured against what users would pick instead. */
import { bullet, type Requirements } from './requirement.ts';

export const ISSUE_5: Requirements = {
  ...bullet(5, '**bench/** becomes one runner', {
    'bench/check': 'A ratio that got worse by a fifth against the last full run is found.',
    'bench/broker': 'The figure broker has what nats-server alone takes.',
  }),
  ...bullet(5, '**Peers**', {
    'bench/peers': 'Peers do the same work in the same rounds as Natter.',
  }),
  ...bullet(5, '**Cost as work grows**', {
    'bench/growth': 'The figure growth has costs at 1, 4 and 16 times the load, and their slope.',
  }),
  ...bullet(5, 'What it must show', {
    'bench/table': 'The table of goals has a row for each goal, with its interval and what stands beside it.',
    'bench/misses': 'Each goal that the record misses has its reason in docs/performance.md.',
    'bench/faults':
      'The figure faults kills every part under load, and counts what was lost, doubled or shown wrongly.',
    'bench/takeover': 'The figure takeover kills agents in the middle of answers.',
    'bench/fuzz': 'The figure fuzz sends hostile frames to every codec and to a gateway.',
  }),
};
