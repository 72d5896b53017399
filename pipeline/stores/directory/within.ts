/** A wait that ends: for what it waits for, for the signal, or when its time is over; leaves neither timer nor listener. */
export function within<T>(
  work: Promise<T>,
  limitMs: number,
  signal: AbortSignal | undefined,
  late: () => Error,
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const end = (): void => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
    }
    const onAbort = (): void => {
      end()
      reject(signal?.reason)
    }
    const timer = setTimeout(() => {
      end()
      reject(late())
    }, limitMs)
    work.finally(end).then(resolve, reject)
    if (signal?.aborted) onAbort()
    else signal?.addEventListener('abort', onAbort, { once: true })
  })
}
