/** People of the load; each is somebody of their own, as far as the gateway can tell. */

export function person(user: number) {
  return { sub: `user-${user}`, email: `user-${user}@example.com`, name: `User Number ${user}` };
}
