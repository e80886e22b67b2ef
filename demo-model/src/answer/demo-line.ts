/** The last line of every answer in words: it comes from the demo model. */
export function withDemoLine(text: string, about: string): string {
  return `${text}\n\n(Demo model: ${about} Set OPENAI_API_KEY for a real model.)`;
}
