/** Runs command lines of `tidepool` in this process, over a store that the test holds. */
import { Readable, Writable } from 'node:stream'
import type { Surroundings } from '../../daemon/cli/cli.ts'
import { run } from '../../daemon/cli/main.ts'
import type { Zfs } from '../../native/zfs/zfs.ts'
import { fixedLimiter } from '../../pipeline/limit/limiter.ts'
import type { Store } from '../../pipeline/stores/contract.ts'
import { memoryStore } from '../../pipeline/stores/memory.ts'

export interface Ran {
  readonly code: number
  readonly stdout: Buffer
  readonly stderr: string
  /** The lines of stdout, each read as JSON. */
  readonly json: Record<string, unknown>[]
}

export interface RunOptions {
  readonly stdin?: Readable | Uint8Array
  readonly env?: Record<string, string>
  readonly signal?: AbortSignal
  readonly isTTY?: boolean
}

export type Tidepool = (argv: readonly string[], options?: RunOptions) => Promise<Ran>

/** The command over one store for all its runs; without `--store`, as there is but this one. */
export function tidepoolOver(store: Store = memoryStore()): Tidepool {
  const limiter = fixedLimiter({ count: 4, maxBytes: 4 * 1024 * 1024 })
  const openStore = async () => ({ store, limiter, close: async () => {} })
  return (argv, options) =>
    command(argv, { ...options, env: { TIDEPOOL_STORE: 'test:', ...options?.env } }, { openStore })
}

/** The command on a ZFS of the test's own. */
export const tidepoolOn =
  (zfs: Zfs | (() => Promise<Zfs>)): Tidepool =>
  (argv, options) =>
    command(argv, options, { openZfs: typeof zfs === 'function' ? zfs : async () => zfs })

/** The command as it is, over the stores that it opens itself. */
export const tidepool: Tidepool = (argv, options) => command(argv, options)

async function command(
  argv: readonly string[],
  options: RunOptions = {},
  inside: Pick<Surroundings, 'openStore' | 'openZfs'> = {},
): Promise<Ran> {
  const stdout = sink(options.isTTY)
  const stderr = sink(options.isTTY)
  const code = await run(argv, {
    stdin:
      options.stdin instanceof Readable ? options.stdin : Readable.from([options.stdin ?? Buffer.alloc(0)]),
    stdout,
    stderr,
    env: options.env ?? {},
    signal: options.signal ?? new AbortController().signal,
    ...inside,
  })
  const text = stdout.bytes().toString()
  return {
    code,
    stdout: stdout.bytes(),
    stderr: stderr.bytes().toString(),
    get json() {
      return text
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line))
    },
  }
}

function sink(isTTY = false): Writable & { bytes(): Buffer; isTTY: boolean } {
  const pieces: Buffer[] = []
  const stream = new Writable({
    write(piece: Buffer, _encoding, done) {
      pieces.push(Buffer.from(piece))
      done()
    },
  })
  return Object.assign(stream, { bytes: () => Buffer.concat(pieces), isTTY })
}
