/**
 * What every `Catalogue` promises, one test a promise: run over each driver, and over each wrapped one.
 *
 * `open` is called once a test. What it opens may be shared between tests: each test makes its own projects and
 * hosts and looks at those alone.
 */
import { suite } from 'uvu'
import type { Catalogue } from '../../pipeline/stores/contract.ts'
import { abortContract } from './catalogue-aborts.ts'
import { hostContract } from './catalogue-hosts.ts'
import { listContract } from './catalogue-lists.ts'
import { projectContract } from './catalogue-projects.ts'
import { raceContract } from './catalogue-races.ts'

export interface OpenCatalogue {
  readonly catalogue: Catalogue
  readonly cleanup: () => Promise<void>
}

/** Registers one promise with its test. */
export type Promised = (promise: string, test: (catalogue: Catalogue) => Promise<void>) => void

export function catalogueContract(name: string, open: () => Promise<OpenCatalogue>): void {
  const test = suite(`${name}: catalogue`)
  const promised: Promised = (promise, check) => {
    test(promise, async () => {
      const { catalogue, cleanup } = await open()
      try {
        await check(catalogue)
      } finally {
        await cleanup()
      }
    })
  }
  projectContract(promised)
  raceContract(promised)
  hostContract(promised)
  listContract(promised)
  abortContract(promised)
  test.run()
}
