/** A small file of JSON in the state directory: read once, and then replaced whole and durably. */
import { mkdir, readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { z } from 'zod'
import { writeAtomically } from '../../pipeline/base/atomic-file.ts'
import { errnoOf } from '../../pipeline/base/errors.ts'

/** Undefined where there is none. Rejects where what is there is not what it should be. */
export async function readStateFile<T>(file: string, schema: z.ZodType<T>): Promise<T | undefined> {
  try {
    return schema.parse(JSON.parse(await readFile(file, 'utf8')))
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined
    throw error
  }
}

export async function writeStateFile(file: string, value: object): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  await writeAtomically(file, [Buffer.from(`${JSON.stringify(value, null, 1)}\n`)], { mode: 0o600 })
}
