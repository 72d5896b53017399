// Does what the fake's commands ask for: one process for all of a test file, as long as that one lives.
import { createReadStream, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Complaint, commands } from './commands.mjs'
import { load, log, save, takeFault } from './state.mjs'

const server = createServer({ allowHalfOpen: false }, (socket) => {
  socket.on('error', () => {}) // the client was killed, which is what the tests do
  serve(socket).catch((error) => {
    process.stderr.write(`${error.stack}\n`)
    socket.destroy()
  })
})
server.listen(0, '127.0.0.1', () => process.send(server.address().port))
process.on('disconnect', () => process.exit(0))

/** The request: strings, each ended by a zero, the fifth of them saying how many follow. */
async function request(socket) {
  let held = ''
  for await (const piece of socket.iterator({ destroyOnReturn: false })) {
    held += piece.toString('utf8')
    const [directory, pid, locale, program, count, ...args] = held.split('\0')
    if (count === undefined || args.length <= Number(count)) continue
    return { directory, pid: Number(pid), locale, program, args: args.slice(0, Number(count)) }
  }
  return undefined
}

async function serve(socket) {
  const asked = await request(socket)
  if (asked === undefined) return
  const { directory, pid, locale, program, args } = asked
  const line = [program, ...args].join(' ')
  log(directory, { program, args, locale })
  const fault = takeFault(directory, line)
  const answer = ({ exit, message = '', output = '' }) => {
    writeFileSync(join(directory, `answer.${pid}`), `${exit}\0${message}\0${output}\0`)
    socket.end()
  }
  const killed = () => {
    process.kill(-pid, 'SIGKILL')
    socket.destroy()
  }
  if (fault?.delayMs) await sleep(fault.delayMs)
  if (fault?.action === 'hang') return
  if (fault?.action === 'die') return killed()
  if (fault?.action === 'fail') return answer({ exit: fault.exit ?? 1, message: fault.stderr })
  let output
  try {
    output = await run(socket, { directory, pid, program, args, fault })
  } catch (error) {
    if (socket.destroyed && !(error instanceof Complaint)) return undefined // it was killed meanwhile
    if (!(error instanceof Complaint)) throw error
    return answer(error)
  }
  // Dead after the deed: whoever started it does not learn that it happened.
  return fault?.action === 'die-after' ? killed() : answer({ exit: 0, output })
}

/** Returns the text that it prints; the stream of a send is on its way by then. */
async function run(socket, { directory, pid, program, args, fault }) {
  const { flavour } = load(directory)
  const usage = () => {
    const version = flavour === 'zfs-fuse' ? 'zfs-fuse-0.7.0' : 'zfs-2.1.11'
    return JSON.parse(readFileSync(new URL(`../../fixtures/zfs/${version}.json`, import.meta.url), 'utf8'))
      .usage
  }
  const complain = (first, text) => {
    throw new Complaint(`${first}\n${text.replace(/^.*\n/, '')}`, 2)
  }
  const [verb, ...rest] = args
  if (verb === undefined) complain('missing command', usage()[program])
  if (verb === 'get' && rest.length === 0) complain('missing property argument', usage().get)
  if (verb === 'version' && flavour === 'zfs-fuse') throw new Complaint(usage().version, 2)
  if (verb === 'version') return usage().version
  const command = commands[program][verb]
  if (!command) throw new Complaint(`unrecognized command '${verb}'\nusage: ${program} command args ...`, 2)
  const context = { directory, args: rest }
  if (verb === 'send') return write(socket, command.read(load(directory), context), fault)
  if (command.read) return command.read(load(directory), context)
  let prepared
  if (command.prepare) {
    const fifo = join(directory, `in.${pid}`)
    const stdin = createReadStream(fifo)
    prepared = await command.prepare({ ...context, stdin })
    stdin.destroy()
    rmSync(fifo, { force: true })
    // Killed before its stream was whole: it has received nothing.
    if (socket.destroyed) throw new Complaint('it was killed')
  }
  const state = load(directory)
  // What it returns is complained of though the deed is done.
  const complaint = command.prepare
    ? command.finish(state, { ...context, prepared })
    : command(state, context)
  state.txg += 1
  save(directory, state)
  if (complaint !== undefined) throw new Complaint(complaint)
  return undefined
}

/** The pieces of a stream, which a fault may cut; or what a dry run prints. */
async function write(socket, output, { action, bytes = 0, stderr = '', exit = 1 } = {}) {
  let left = action === 'cut' || action === 'stall' ? bytes : Number.POSITIVE_INFINITY
  for (const piece of typeof output === 'string' ? [Buffer.from(output)] : output) {
    const part = piece.subarray(0, left)
    if (part.length > 0)
      await new Promise((done, failed) => socket.write(part, (error) => (error ? failed(error) : done())))
    left -= part.length
    if (left > 0) continue
    if (action === 'stall') await new Promise(() => {})
    throw new Complaint(stderr, exit)
  }
}
