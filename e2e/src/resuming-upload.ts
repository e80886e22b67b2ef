/** An upload that goes on whatever breaks: the same steps over each wire. */

/** What a client that has come back is told. */
export type Arrived = { finished: true } | { finished: false; missing: number[] };

export interface ResumingUpload {
  /** The file's id; empty before it has begun. */
  readonly id: string;
  /** Indexes of the parts that are sent before `finish`. */
  readonly parts: readonly number[];
  /** Subject under which the broker gets a part. */
  subjectOf(index: number): string;
  /** Begins, over this gateway. */
  begin(gateway: number): Promise<void>;
  /** Sends a part; resolves when it is confirmed, rejects when the connection breaks before. */
  send(index: number): Promise<void>;
  /** Asks for the end; resolves when it is confirmed, rejects when the connection breaks before. */
  finish(): Promise<void>;
  /** Drops the connection with all that is under way. */
  cut(): void;
  /** Connects over this gateway, and asks what has arrived. */
  comeBack(gateway: number): Promise<Arrived>;
}

/** Comes back over this gateway, sends what is missing and finishes. */
export async function goOn(upload: ResumingUpload, gateway: number): Promise<void> {
  const arrived = await upload.comeBack(gateway);
  if (arrived.finished) return;
  for (const index of arrived.missing.filter((one) => upload.parts.includes(one))) await upload.send(index);
  await upload.finish();
}
