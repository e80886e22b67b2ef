/** Who asks, in tests. */
import type { Asker } from '@natter/proto';

export function asker(sub: string, more: Partial<Asker> = {}): Asker {
  return { sub, name: sub.toUpperCase(), admin: false, ...more };
}
