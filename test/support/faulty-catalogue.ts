/** A catalogue in which chosen calls go wrong, each in one of the ways in which a real one can. */
import { OutcomeUnknownError, StoreUnavailableError } from '../../pipeline/base/errors.ts'
import type { CallOptions, Catalogue } from '../../pipeline/stores/contract.ts'

export const Fault = {
  /** It happens, and nobody is told. */
  HappensUnseen: 'happens unseen',
  /** It does not happen, and nobody is told. */
  NeverHappens: 'never happens',
  /** Nobody is told, and it happens just before the next transaction. */
  HappensLate: 'happens late',
  /** It happens, is sent again by a driver below, and the second answer is no. */
  HappensTwice: 'happens twice',
} as const
export type Fault = (typeof Fault)[keyof typeof Fault]

export interface Faults {
  /** By the number of the transaction among all that were sent, projects' and hosts' alike, from 0. */
  readonly writes?: Readonly<Record<number, Fault>>
  /** Numbers of the serial reads that get no answer. */
  readonly reads?: readonly number[]
  /** Called before each call, with a look at what is about to happen. */
  readonly before?: (what: string) => void | Promise<void>
}

export function faultyCatalogue(catalogue: Catalogue, faults: Faults): Catalogue {
  const { writes = {}, reads = [], before } = faults
  let written = 0
  let read = 0
  let late: (() => Promise<unknown>)[] = []

  async function write(what: string, happen: () => Promise<boolean>): Promise<boolean> {
    await before?.(what)
    const fault = writes[written++]
    const due = late
    late = []
    for (const happenLate of due) await happenLate()
    switch (fault) {
      case undefined:
        return happen()
      case Fault.HappensTwice:
        return (await happen()) && happen()
      case Fault.HappensUnseen:
        await happen()
        break
      case Fault.HappensLate:
        late.push(happen)
        break
    }
    throw new OutcomeUnknownError(what)
  }

  async function look<Result>(what: string, happen: () => Promise<Result>): Promise<Result> {
    await before?.(what)
    if (reads.includes(read++)) throw new StoreUnavailableError(`${what}: no answer`)
    return happen()
  }

  return {
    ...catalogue,
    apply: (transaction, options?: CallOptions) =>
      write(transaction.what, () => catalogue.apply(transaction, options)),
    applyHost: (transaction, options?: CallOptions) =>
      write(transaction.what, () => catalogue.applyHost(transaction, options)),
    read: (project, options?: CallOptions) =>
      look(`read of ${project}`, () => catalogue.read(project, options)),
    readHost: (host, options?: CallOptions) =>
      look(`read of host ${host}`, () => catalogue.readHost(host, options)),
  }
}
