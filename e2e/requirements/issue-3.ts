/** What issue 3 demands: five wires, rooms and resume. */
import { bullet, type Requirements } from './requirement.ts';

export const ISSUE_3: Requirements = {
  ...bullet(3, 'All five wires', {
    'wires/contract': 'Every dialect passes the one contract suite.',
    'wires/corpus': 'Every dialect has golden frames in the corpus, and they are replayed.',
    'wires/pages': 'Every dialect has a README with its frame table, and a page in docs/reference.',
  }),
  ...bullet(3, 'fastchat-v1', {
    'fastchat/master-token-generated':
      'Without MASTER_TOKEN one is made, kept in the data folder and shown at start.',
    'fastchat/token-new': '/auth/token/new makes a pair of tokens for the master token only.',
    'fastchat/token-refresh': '/auth/token/refresh makes a new pair from a refresh token only.',
    'fastchat/store-asked': 'A token store over HTTP decides which token of a client is good.',
    'fastchat/store-down': 'A store that is down lets nobody in, with a clear reason.',
    'fastchat/store-slow': 'A store that is slow lets nobody in, with a clear reason.',
    'fastchat/store-wrong': 'A store that answers wrongly lets nobody in, with a clear reason.',
    'fastchat/unknown-provider': 'An unknown provider is one error step and the terminator.',
    'fastchat/model-not-allowed': 'A model that is not allowed is one error step and the terminator.',
    'fastchat/servers-unusable': 'An entry of aditional_servers that can’t be used is named in a step.',
  }),
  ...bullet(3, 'session-v1', {
    'session/chromium': "The seed's React hook and component work unchanged in Chromium.",
    'session/not-found': 'A session that may not be opened is closed with 4004.',
    'session/anonymous-development': 'In development a session needs no token.',
    'session/anonymous-production': 'In production a session without a token is refused by default.',
    'session/owner': 'A session opened with a token is its user’s, and nobody else gets in.',
    'session/catalogue-tools':
      'The explorer lists, describes, searches and tells lineage; shown as tool frames.',
    'session/catalogue-file': 'A JSON file replaces the sample catalogue.',
  }),
  ...bullet(3, 'rooms-v1', {
    'rooms/confirmed-when-stored': 'A delivery confirmation comes after the broker’s acknowledgement only.',
    'rooms/delete-route': 'DELETE of a room works for its owner and admins, and for nobody else.',
    'rooms/connections-routes': 'Connections are shown to their user and admins, and to nobody else.',
    'rooms/joined-at-connect': '?room_id=&room_type=&room_name= joins at connect.',
  }),
  ...bullet(3, 'Rooms live in the auth service', {
    'rooms/compare-and-set': 'Two who create one room at once: one of them gets it.',
    'rooms/moderation': 'Owner and admin invite and add to a group; members and strangers don’t.',
    'rooms/kick': 'A kick takes effect on sockets of every gateway within a second.',
    'rooms/ban': 'A ban takes effect as fast, and the banned don’t come back.',
    'rooms/deleted-live': 'A deleted room ends for all who are in it; its name tells nothing of it later.',
  }),
  ...bullet(3, 'Several people and the AI in one room', {
    'rooms/ai-always': 'By default every message of a room is answered.',
    'rooms/ai-mention': 'Where a room says so, only messages that mention the AI are answered.',
    'rooms/ai-never': 'Where a room says so, no message is answered.',
    'rooms/everybody-sees': 'Everybody in the room sees question and stream.',
    'rooms/other-devices': 'The sender’s other devices see question and stream too, once.',
  }),
  ...bullet(3, 'Presence', {
    'rooms/presence': 'Who is in a room is known over all gateways.',
    'rooms/presence-killed': 'Presence is right within 10 s after a gateway was killed.',
  }),
  ...bullet(3, 'Offline', {
    'rooms/offline-order': 'What was missed comes in order, once, marked as queued.',
    'rooms/offline-cap': 'Above the cap the oldest is left out, and the client is told.',
  }),
  ...bullet(3, 'Edit and delete own messages', {
    'rooms/edit': 'An author edits: the transcript, live members and replay have the new text.',
    'rooms/delete-message': 'An author deletes: the text is gone from transcript, members and replay.',
    'rooms/moderator-deletes': 'A moderator may delete any message, others only their own.',
    'rooms/edit-keeps-answer': 'An edit leaves an answer as it was given.',
  }),
  ...bullet(3, 'Cancel', {
    'cancel/any-device': 'Any of the user’s devices on any gateway stops an answer.',
    'cancel/idempotent': 'A cancel is acknowledged, again too, and also after the end.',
    'cancel/partial-kept': 'The partial answer stays in the transcript, marked as cancelled.',
    'cancel/not-others': 'Nobody stops somebody else’s answer.',
    'busy/queue': 'Two questions at once are answered in order by default.',
    'busy/reject': 'With on_busy=reject the second question is refused.',
    'busy/interrupt': 'With on_busy=interrupt the second question stops the first.',
  }),
  ...bullet(3, 'One run or room can be watched at once', {
    'wires/one-run': 'One run is watched from four wires at once, with one text.',
    'wires/one-room': 'One room is watched from four wires at once.',
  }),
  ...bullet(3, 'Resume', {
    'resume/cursor': '?seq=1 adds a cursor to each frame; without it frames are those of the seed.',
    'resume/network': 'After a lost network a cursor continues without a gap or a double.',
    'resume/other-gateway': 'A cursor continues on another gateway.',
    'resume/gateway-killed': 'A cursor continues after a killed gateway.',
    'resume/broker-restarted': 'A cursor continues after a restarted broker.',
    'resume/run': 'A cursor continues a running answer.',
    'resume/rooms': 'Cursors continue rooms and watched conversations, several at once.',
    'resume/frame': 'A resume frame of rooms-v1 continues like ?resume= does.',
    'resume/outside': 'A cursor outside the window: recovered false, then the transcript.',
    'resume/authorised': 'A member who was thrown out gets nothing for an old cursor.',
    'resume/others': 'Somebody else’s cursor gives nothing.',
    'resume/forged': 'A cursor that is none, or changed, gives nothing and harms nothing.',
    'resume/gap-repaired': 'A gap is repaired before anything later is sent.',
  }),
  ...bullet(3, 'The access matrix tested whole', {
    'access/sessions': 'User A gets nothing of B’s sessions, on every wire and route.',
    'access/conversations': 'User A gets nothing of B’s conversations, on every wire and route.',
    'access/rooms': 'User A gets nothing of B’s rooms, on every wire and route.',
    'access/cursors': 'User A gets nothing by B’s cursors, on every wire.',
    'access/connections': 'User A gets nothing of B’s connections, on every route.',
    'access/missing-is-forbidden': 'Missing and forbidden look the same.',
  }),
  ...bullet(3, 'Ids such as', {
    'ids/every-field': 'Each strange id in each id field of each wire: an error or a working room.',
    'ids/nobody-elses': 'None of them shows somebody else’s events.',
  }),
  ...bullet(3, 'Rate limits hold for one user', {
    'rate/user': '100 frames in 60 s hold for a user over sockets and gateways.',
    'rate/session': '20 messages in 60 s hold for a session over sockets and gateways.',
  }),
  ...bullet(3, '50 clients in one room on two gateways', {
    'rooms/fifty': 'A gateway killed in mid-answer: all 50 end with the same transcript, byte for byte.',
  }),
  ...bullet(3, 'Property test', {
    'property/deltas': 'Over random interleavings the deltas add up to the final text.',
    'property/accumulations': 'Over random interleavings accumulations only grow.',
    'property/one-end': 'Over random interleavings a turn has one terminal frame on each wire.',
  }),
  ...bullet(3, '`npm run bench` gains', {
    'bench/fanout': 'The figure fanout compares room fan-out with raw uWebSockets.',
    'bench/resume-storm': 'The figure resume-storm kills a gateway under 5,000 connections.',
  }),
  ...bullet(3, 'A conformance table', {
    'docs/conformance': 'The conformance table has every statement, its line and its test.',
  }),
};
