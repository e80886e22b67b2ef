/** Called between the steps of a finalize; tests end a service there. */
export type Steps = (done: string) => Promise<void> | void;

export const noSteps: Steps = () => undefined;
