/**
 * The access process as a program: `main.ts --root DIR --mount-root DIR --socket FILE [--browse resident|all|none]`. Says
 * `serving DIR` once it answers. Ends on SIGTERM with the root unmounted; exit code 75 asks for another one at once.
 */
import { isAbsolute, normalize } from 'node:path'
import { parseArgs } from 'node:util'
import { TidepoolError } from '../../pipeline/base/errors.ts'
import { describeFailure, EXIT, exitCodeOf } from '../cli/exit.ts'
import { parseDuration } from '../cli/units.ts'
import { BROWSE, type Browse } from './layer.ts'
import { type AccessProcessOptions, serveAccess } from './process.ts'

/** EX_TEMPFAIL of sysexits.h. */
const EXIT_AGAIN = 75

const HINT =
  'main.ts --root DIR --mount-root DIR --socket FILE [--browse resident|all|none] [--wait-limit 115s]'

function optionsOf(args: string[]): AccessProcessOptions {
  const { root, 'mount-root': mountRoot, socket, browse, 'wait-limit': waitLimit } = valuesOf(args)
  if (!BROWSE.includes(browse as Browse)) throw usage(`--browse is one of ${BROWSE.join(', ')}`)
  return {
    root: path('root', root),
    mountRoot: path('mount-root', mountRoot),
    socket: path('socket', socket),
    browse: browse as Browse,
    waitLimitMs: parseDuration(waitLimit),
    log: (line) => void process.stderr.write(`${line}\n`),
  }
}

function valuesOf(args: string[]) {
  try {
    return parseArgs({
      args,
      options: {
        root: { type: 'string' },
        'mount-root': { type: 'string' },
        socket: { type: 'string' },
        browse: { type: 'string', default: 'resident' },
        'wait-limit': { type: 'string', default: '115s' },
      },
    }).values
  } catch (error) {
    throw usage((error as Error).message)
  }
}

/** One that is spelled otherwise than mountinfo spells it would not be found there. */
function path(name: string, value: string | undefined): string {
  const plain = value && isAbsolute(value) ? normalize(value).replace(/\/$/, '') : ''
  if (plain === '') throw usage(`--${name} needs an absolute path`)
  return plain
}

const usage = (message: string): TidepoolError => new TidepoolError('bad-usage', message, { hint: HINT })

async function main(signal: AbortSignal): Promise<number> {
  try {
    const options = optionsOf(process.argv.slice(2))
    const how = await serveAccess(options, signal, () => process.stdout.write(`serving ${options.root}\n`))
    return how === 'stopped' ? EXIT.ok : EXIT_AGAIN
  } catch (error) {
    process.stderr.write(describeFailure(error, { json: false, debug: false }))
    return exitCodeOf(error, signal)
  }
}

const stop = new AbortController()
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stop.abort())
// Nothing is read again at a reload, and a terminal that closes is no reason to end.
process.on('SIGHUP', () => {})
// Not inside the root, nor would a child of ours be.
process.chdir('/')
// The addon would keep the process alive for ever.
process.exit(await main(stop.signal))
