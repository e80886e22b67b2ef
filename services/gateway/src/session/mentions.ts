/** Whether a message is meant for the AI, in rooms where it answers only then. */
export function mentionsAi(text: string): boolean {
  return /(^|[^\p{L}\p{N}_@])@(ai|assistant)(?![\p{L}\p{N}_])/iu.test(text);
}
