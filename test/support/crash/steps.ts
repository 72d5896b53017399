/** A directory tree that grows by steps, each of which a kill leaves done or not begun: one system call makes the difference. */
import {
  appendFileSync,
  chmodSync,
  closeSync,
  linkSync,
  mkdirSync,
  openSync,
  renameSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { treeLines } from '../../../native/tree/digest.ts'
import { temporaryDirectory } from '../directory.ts'
import { bytes, int, seeded } from '../random.ts'

/** What was done so far: for each step the branch that drew its content, so that what was done anew after a rollback differs. */
export type Steps = readonly number[]

/** Where a step makes ready what it then renames; a kill may leave it. */
const DRAFT = '.draft'
const BULK = 'bulk'
/** One request of FUSE: it is written whole or not at all. */
const APPEND_BYTES = 4096

type Step = (root: string, cycle: number, random: () => number) => void

const cycleOfSteps: readonly Step[] = [
  (root, cycle) => closeSync(openSync(join(root, `a${cycle}`), 'wx', 0o640)),
  (root, cycle, random) =>
    appendFileSync(join(root, `a${cycle}`), bytes(random, int(random, 1, APPEND_BYTES))),
  (root, cycle) => mkdirSync(join(root, `d${cycle}`), 0o751),
  (root, cycle) => renameSync(join(root, `a${cycle}`), join(root, `d${cycle}`, 'b')),
  (root, cycle) => linkSync(join(root, `d${cycle}`, 'b'), join(root, `l${cycle}`)),
  (root, cycle) => symlinkSync(`d${cycle}/b`, join(root, `s${cycle}`)),
  (root, cycle) => chmodSync(join(root, `l${cycle}`), 0o604),
  (root, _cycle, random) => {
    writeFileSync(join(root, DRAFT), bytes(random, int(random, 1, 1_000_000)))
    renameSync(join(root, DRAFT), join(root, BULK))
  },
  (root, cycle) => unlinkSync(join(root, `l${cycle}`)),
]
const BULK_STEP = cycleOfSteps.length - 2

/** Does step `index` on a tree that has had all those before it. */
export function doStep(root: string, index: number, branch: number): void {
  const cycle = Math.floor(index / cycleOfSteps.length)
  const step = cycleOfSteps[index % cycleOfSteps.length] as Step
  step(root, cycle, seeded(branch * 1_000_003 + index))
}

/** What a tree shows; times differ from one made anew. */
export async function seenTree(root: string): Promise<string> {
  const lines: string[] = []
  for await (const line of treeLines(root, { times: false, xattrs: false }))
    if (!line.startsWith(`file ${DRAFT} `)) lines.push(line)
  return lines.join('\n')
}

/** What a tree must show after these steps. */
export async function expectedTree(steps: Steps): Promise<string> {
  const { path, remove } = await temporaryDirectory()
  try {
    const root = join(path, 'tree')
    mkdirSync(root)
    chmodSync(root, 0o700)
    const isBulk = (index: number): boolean => index % cycleOfSteps.length === BULK_STEP
    const lastBulk = steps.findLastIndex((_, index) => isBulk(index))
    // Of what one step after the other replaces, only the last is left.
    for (const [index, branch] of steps.entries())
      if (!isBulk(index) || index === lastBulk) doStep(root, index, branch)
    return await seenTree(root)
  } finally {
    await remove()
  }
}
