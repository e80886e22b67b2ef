/** The sentence for a port that somebody else has. */
export function portTaken(host: string, port: number): Error {
  return new Error(`Port ${port} on ${host} is in use; set PORT to another one.`);
}
