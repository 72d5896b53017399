/**
 * The access process as a program: `main.ts --config FILE`, or `main.ts --root DIR --mount-root DIR --socket FILE
 * [--browse resident|all|none]`. Says `serving DIR` once it answers, to systemd too where that has started it. Ends on SIGTERM
 * with the root unmounted; exit code 75 asks for another one at once.
 */
import { isAbsolute, normalize } from 'node:path'
import { parseArgs } from 'node:util'
import { stayOnOneCore } from '../../native/fuse/one-core.ts'
import { Notifier } from '../../native/systemd/notify.ts'
import { TidepoolError } from '../../pipeline/base/errors.ts'
import { describeFailure, EXIT, exitCodeOf } from '../cli/exit.ts'
import { parseDuration } from '../cli/units.ts'
import { readConfig } from '../config/read.ts'
import { accessSocketOf } from '../config/sockets.ts'
import { keepReporting } from '../service/report.ts'
import { BROWSE, type Browse } from './layer.ts'
import { makeRoot } from './make-root.ts'
import { type AccessProcessOptions, serveAccess } from './process.ts'

/** EX_TEMPFAIL of sysexits.h. */
const EXIT_AGAIN = 75

const HINT =
  'main.ts --config FILE, or --root DIR --mount-root DIR --socket FILE [--browse resident|all|none] [--wait-limit 115s]'

const log = (line: string): void => void process.stderr.write(`${line}\n`)

async function optionsOf(args: string[]): Promise<AccessProcessOptions> {
  const { config, root, 'mount-root': mountRoot, socket, browse, 'wait-limit': waitLimit } = valuesOf(args)
  if (config !== undefined) return configured(config)
  if (!BROWSE.includes(browse as Browse)) throw usage(`--browse is one of ${BROWSE.join(', ')}`)
  return {
    root: path('root', root),
    mountRoot: path('mount-root', mountRoot),
    socket: path('socket', socket),
    browse: browse as Browse,
    waitLimitMs: parseDuration(waitLimit),
    log,
  }
}

/** What the daemon reads, so that both speak of the same places. */
async function configured(file: string): Promise<AccessProcessOptions> {
  const config = await readConfig(file)
  return {
    root: path('root', config.access),
    mountRoot: path('mount-root', config.mounts),
    socket: accessSocketOf(config),
    browse: config.browse,
    log,
  }
}

function valuesOf(args: string[]) {
  try {
    return parseArgs({
      args,
      options: {
        config: { type: 'string' },
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
    const options = await optionsOf(process.argv.slice(2))
    // Where it may not be, walks only take a little longer.
    await stayOnOneCore(process.pid).catch((error: Error) => log(`not kept on one core: ${error.message}`))
    await makeRoot(options.root)
    const notifier = Notifier.from(process.env, { failed: log })
    const how = await serveAccess(options, signal, () => {
      process.stdout.write(`serving ${options.root}\n`)
      if (notifier) void report(notifier, options.root, signal)
    })
    return how === 'stopped' ? EXIT.ok : EXIT_AGAIN
  } catch (error) {
    process.stderr.write(describeFailure(error, { json: false, debug: false }))
    return exitCodeOf(error, signal)
  }
}

/** That the root answers is looked after where it is served; here it is only whether this process still turns. */
async function report(notifier: Notifier, root: string, signal: AbortSignal): Promise<void> {
  await notifier.tell('READY=1')
  await keepReporting(notifier, { status: () => `serves ${root}`, lives: async () => {} }, signal)
  await notifier.tell('STOPPING=1')
}

const stop = new AbortController()
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stop.abort())
// Nothing is read again at a reload, and a terminal that closes is no reason to end.
process.on('SIGHUP', () => {})
// Not inside the root, nor would a child of ours be.
process.chdir('/')
// The addon would keep the process alive for ever.
process.exit(await main(stop.signal))
