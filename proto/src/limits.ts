/** Hard limits of what crosses a boundary; every schema in this package enforces them. */

export const LIMITS = {
  /** Longest id a client may choose (session_id, message_id, customer_id …), in UTF-8 bytes. */
  idBytes: 128,
  /** Longest question, in UTF-16 code units. */
  messageChars: 16_000,
  /** Longest answer a run may produce, in UTF-16 code units; the run fails beyond it. */
  answerChars: 200_000,
  /** Longest access token, in bytes. RFC 7519 sets none; ours with every claim stays under 1 KiB. */
  tokenBytes: 4096,
  /** Most sources one answer names. */
  sources: 32,
  /** Rooms a user may be a member of by their own choice. */
  roomsPerUser: 256,
  /** Rooms a user may be a member of because others added them, and that they have not joined. */
  addedRoomsPerUser: 64,
  /** Shared and group rooms a user may own. */
  ownedRoomsPerUser: 256,
  /** Parts of one upload: 50 MB in pieces of 50 KB. */
  chunksPerUpload: 1_024,
  /** Finished files and uploads under way that a user may have. */
  filesPerUser: 1_000,
  /** API keys that may exist. */
  apiKeys: 1_000,
  /** Members of a shared or group room, and people who were invited or banned. */
  membersPerRoom: 10_000,
} as const;
