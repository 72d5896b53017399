/** Finds what people name: a write by its id or the beginning of one, alone or behind its project's. */
import { TidepoolError } from '../../pipeline/base/errors.ts'
import { type ProjectId, projectId } from '../../pipeline/base/ids.ts'
import { readProject } from '../../pipeline/graph/settle.ts'
import type { Project, WriteRow } from '../../pipeline/graph/state.ts'
import type { CallOptions, Catalogue } from '../../pipeline/stores/contract.ts'

export interface FoundWrite {
  readonly project: Project
  readonly row: WriteRow
}

/** Shorter beginnings are more often a typing mistake than meant. */
const LEAST_PREFIX = 4
const WRITE = /^[0-9a-f-]+$/
const FULL_LENGTH = 36
/** Reads of projects under way at a time, where all have to be looked through. */
const READERS = 8

/**
 * `PROJECT/WRITE` costs one read. A bare id is looked for in every project, a whole one until it is found; with
 * `project` only there.
 */
export async function findWrite(
  catalogue: Catalogue,
  text: string,
  options: CallOptions & { readonly project?: string | undefined } = {},
): Promise<FoundWrite> {
  const slash = text.indexOf('/')
  const prefix = text.slice(slash + 1)
  if (!WRITE.test(prefix) || prefix.length < LEAST_PREFIX || prefix.length > FULL_LENGTH)
    throw new TidepoolError('bad-id', `${JSON.stringify(text.slice(0, 100))} is not a write id`, {
      hint: `Give the id as \`tidepool stream ls PROJECT\` prints it, or its first ${LEAST_PREFIX} or more digits; PROJECT/ID finds it quickest.`,
    })
  const named = slash >= 0 ? text.slice(0, slash) : options.project
  const found =
    named === undefined
      ? await inAll(catalogue, prefix, options)
      : matching(await readProject(catalogue, projectId(named), options), prefix)
  const [first, ...others] = found
  if (!first)
    throw new TidepoolError(
      'write-unknown',
      `there is no write ${prefix} in ${named === undefined ? 'this store' : `project ${named}`}`,
      { hint: '`tidepool stream ls PROJECT --all` lists the writes that there are.' },
    )
  if (others.length > 0)
    throw new TidepoolError('write-ambiguous', `${found.length} writes begin with ${prefix}`, {
      hint: `Give more of the id: ${found
        .slice(0, 5)
        .map(({ project, row }) => `${project.id}/${row.writeId}`)
        .join(', ')}${found.length > 5 ? ', …' : ''}.`,
    })
  return first
}

function matching(project: Project, prefix: string): FoundWrite[] {
  return [...project.rows.values()]
    .filter((row) => row.writeId.startsWith(prefix))
    .map((row) => ({ project, row }))
}

async function inAll(catalogue: Catalogue, prefix: string, { signal }: CallOptions): Promise<FoundWrite[]> {
  const found: FoundWrite[] = []
  const projects = catalogue.projects({ signal })[Symbol.asyncIterator]()
  let enough = false
  const look = async (id: ProjectId): Promise<void> => {
    const project = await catalogue.read(id, { signal })
    if (project) found.push(...matching(project, prefix))
    enough ||= prefix.length === FULL_LENGTH && found.length > 0
  }
  const reader = async (): Promise<void> => {
    while (!enough) {
      const next = await projects.next()
      if (next.done) return
      await look(next.value.id)
    }
  }
  try {
    for (const settled of await Promise.allSettled(Array.from({ length: READERS }, reader)))
      if (settled.status === 'rejected') throw settled.reason
  } finally {
    await projects.return?.()
  }
  return found
}
