/** The two real streams that come with the program, and what `zfs send` was seen to write. */
import { readFile } from 'node:fs/promises'
import { errnoOf, TidepoolError } from '../../pipeline/base/errors.ts'

const FOLDER = 'test/fixtures/streams/zfs-2.3.2'

export interface Fixture {
  readonly name: string
  readonly sha256: string
  readonly bytes: Buffer
}

export async function fixtures(): Promise<readonly [full: Fixture, step: Fixture]> {
  const known = JSON.parse((await shipped('facts.json')).toString()) as { name: string; sha256: string }[]
  const of = async (name: string): Promise<Fixture> => {
    const sha256 = known.find((one) => one.name === name)?.sha256 ?? ''
    return { name, sha256, bytes: await shipped(`${name}.zstream`) }
  }
  return [await of('full'), await of('incr')]
}

/** Two folders up from here in a checkout, three from the build. */
async function shipped(name: string): Promise<Buffer> {
  for (const up of ['../..', '../../..'])
    try {
      return await readFile(new URL(`${up}/${FOLDER}/${name}`, import.meta.url))
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error
    }
  throw new TidepoolError('demo-missing', `${FOLDER}/${name} does not lie beside the program`, {
    hint: 'Install it again: the package brings it.',
  })
}
