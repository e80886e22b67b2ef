/** The peers by name; a figure takes those that do its work. */
import { centrifugo } from './centrifugo/peer.ts';
import { fastapi } from './fastapi/peer.ts';
import { natsWs } from './nats-ws/peer.ts';
import { nchan } from './nchan/peer.ts';
import type { Peer } from './peer.ts';
import { socketio, socketioUws } from './socketio/peer.ts';
import { ws } from './ws/peer.ts';

export const PEERS: readonly Peer[] = [ws, socketio, socketioUws, nchan, natsWs, fastapi, centrifugo];
