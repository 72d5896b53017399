/** Serves a root of links whose every entry misbehaves as its name says. */
import { setTimeout as sleep } from 'node:timers/promises'
import { ErrnoError } from '../../native/fuse/errno.ts'
import { keepServing } from '../../native/fuse/kept.ts'

const [path = '', target = '', probe = 'good', threads = '2000', mostThreads = '10000'] =
  process.argv.slice(2)
const stop = new AbortController()
process.once('SIGTERM', () => stop.abort())
process.chdir('/')

const attributes = (mode: number) => ({
  mode,
  size: 20,
  nlink: 1,
  uid: 0,
  gid: 0,
  atime: 0,
  mtime: 0,
  ctime: 0,
})

const readlink: Record<string, () => Promise<string>> = {
  '/good': async () => target,
  '/never': () => new Promise(() => {}),
  '/late': async () => {
    await sleep(1500)
    return '/a/late/answer'
  },
  '/throws': () => {
    throw new Error('thrown at once')
  },
  '/rejects': async () => {
    throw new Error('rejected')
  },
  '/busy': async () => {
    throw new ErrnoError('EBUSY')
  },
  '/stall': async () => {
    // What every walk waits for; no real handler may.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500)
    return target
  },
}

const how = await keepServing(
  {
    path,
    probe,
    wear: { threads: Number(threads), mostThreads: Number(mostThreads) },
    everyMs: 300,
    limits: { quickMs: 2000, readlinkMs: 1000 },
    failed: (operation, error) => console.log(`${operation}: ${(error as Error).message}`),
    log: (line) => console.log(line),
    ending: async () => {},
    handlers: {
      getattr: async (at) => attributes(at === '/' ? 0o040755 : 0o120777),
      readdir: async () => Object.keys(readlink).map((name) => name.slice(1)),
      readlink: async (at) => (readlink[at] as () => Promise<string>)(),
    },
  },
  stop.signal,
  () => console.log('serving'),
)
console.log(how)
process.exit(0)
