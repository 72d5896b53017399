/** Serves on a Unix socket: one of a daemon that was killed is replaced, one where somebody answers is left alone. */
import { chmod, mkdir, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { dirname } from 'node:path'
import type { FastifyInstance } from 'fastify'
import { errnoOf, TidepoolError } from '../../pipeline/base/errors.ts'

/** Rejects with `socket-in-use` where somebody answers there already. */
export async function listenOnSocket(app: FastifyInstance, socket: string, mode: number): Promise<void> {
  await mkdir(dirname(socket), { recursive: true, mode: 0o711 })
  if (await answers(socket))
    throw new TidepoolError('socket-in-use', `somebody answers on ${socket} already`, {
      hint: 'A daemon is running: `tidepool status` asks it.',
    })
  await rm(socket, { force: true })
  // Nobody gets in between the socket's birth and its mode.
  const before = process.umask(0o177)
  try {
    await app.listen({ path: socket })
  } finally {
    process.umask(before)
  }
  await chmod(socket, mode)
}

function answers(socket: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const client = connect(socket)
    client.once('connect', () => {
      client.destroy()
      resolve(true)
    })
    client.once('error', (error) => {
      if (errnoOf(error) === 'ECONNREFUSED' || errnoOf(error) === 'ENOENT') resolve(false)
      else reject(error)
    })
  })
}
