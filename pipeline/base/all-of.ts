/** Several things at once, all of them settled, however they end, before their caller goes on. */

/** Like `Promise.all`, but rejects, with the first failure of the list, only when nothing is under way any more. */
export async function allOf<T extends readonly unknown[]>(
  started: readonly [...{ [K in keyof T]: Promise<T[K]> }],
): Promise<T> {
  await Promise.allSettled(started)
  return Promise.all(started) as unknown as Promise<T>
}
