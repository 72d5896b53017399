/** A store whose every call can be made to fail: before it happens, or after it happened with the answer lost. */
import { OutcomeUnknownError, StoreUnavailableError } from '../../pipeline/base/errors.ts'
import type { Store } from '../../pipeline/stores/contract.ts'

export type Fault =
  /** It never reaches the store, and the caller is told so. */
  | 'refused'
  /** It happens, but the answer is lost. */
  | 'answer-lost'
  /** It never happens, and nobody can tell. */
  | 'lost'

/** Asked at every call, in the order of the calls; undefined lets it through. */
export type Decide = (call: string, count: number) => Fault | undefined

/** Transactions of unknown outcome reject with `OutcomeUnknownError`, everything else with a plain store error. */
const TRANSACTIONS = new Set(['apply', 'applyHost'])

export function faultyStore(store: Store, decide: Decide): Store & { readonly calls: () => number } {
  let count = 0
  const wrap = <T extends object>(target: T): T =>
    new Proxy(target, {
      get(object, key, receiver) {
        const member: unknown = Reflect.get(object, key, receiver)
        if (typeof member !== 'function' || key === 'close') return member
        return (...args: unknown[]) => {
          const call = String(key)
          const fault = decide(call, count++)
          const result =
            fault === 'refused' || fault === 'lost' ? undefined : Reflect.apply(member, object, args)
          if (fault === undefined) return isPromise(result) ? result.then(wrapHandles) : result
          const error = errorOf(call, fault)
          if (result !== undefined && !isPromise(result)) return failing(error)
          return LISTS.has(call)
            ? failing(error)
            : (result ?? Promise.resolve()).then(() => Promise.reject(error))
        }
      },
    })
  const wrapHandles = (result: unknown): unknown => (isHandle(result) ? wrap(result) : result)
  return { ...store, blobs: wrap(store.blobs), catalogue: wrap(store.catalogue), calls: () => count }
}

const LISTS = new Set(['projects', 'hosts', 'writing', 'logged', 'missing', 'stored'])

function errorOf(call: string, fault: Fault): Error {
  if (TRANSACTIONS.has(call) && fault !== 'refused') return new OutcomeUnknownError(call)
  return new StoreUnavailableError(`${call} failed by order (${fault})`)
}

const isPromise = (value: unknown): value is Promise<unknown> => value instanceof Promise

/** Writers and readers are handles whose own calls can fail too. */
const isHandle = (value: unknown): value is object =>
  typeof value === 'object' &&
  value !== null &&
  ('put' in value || 'get' in value) &&
  'close' in value &&
  !('rows' in value)

const failing = (error: Error): AsyncIterable<never> => ({
  [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(error) }),
})
