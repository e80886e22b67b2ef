/** What PROTOCOLS demands of chat-v1 and of every wire, beyond the seeds. */
import { part, type Requirements } from './requirement.ts';

export const PROTOCOLS: Requirements = {
  ...part('chat-v1', {
    'chat-v1/first-message-at-once': 'With a good query token the first message may be sent at once.',
  }),
  ...part('Common rules', {
    'bad-input/strange-ids': 'Any short text is an id like any other.',
    'bad-input/bad-ids': 'What is no short text is no id.',
    'isolation/session-id': 'A session_id shows nobody else’s conversation.',
    'isolation/switched-user': 'A socket that changes its user starts anew.',
  }),
};
