/**
 * A round of checks: every committed write of every project, one after the other, from where the last run stopped.
 * `present` looks whether chunks are there, `deep` reads them.
 */
import { codeOf, messageOf } from '../base/errors.ts'
import type { ProjectId, WriteId } from '../base/ids.ts'
import { pathToHead } from '../graph/plan.ts'
import type { Project, WriteRow } from '../graph/state.ts'
import { unchecked } from './attempt.ts'
import type { Checkpoint } from './checkpoint.ts'
import type { DamagedProjects } from './damaged.ts'
import type { DamageFinding, Finding } from './findings.ts'
import { checkPresent } from './present.ts'
import { findingsOf, type WriteReport } from './report.ts'
import type { Run } from './settings.ts'
import { verifyWrite } from './verify.ts'

export class Checks {
  readonly #run: Run
  readonly #checkpoint: Checkpoint
  readonly #damaged: DamagedProjects | undefined
  #newlyDamaged = 0
  /** The round has come to its end: the list of projects did not break off. */
  isComplete = false

  constructor(run: Run, checkpoint: Checkpoint, damaged: DamagedProjects | undefined) {
    this.#run = run
    this.#checkpoint = checkpoint
    this.#damaged = damaged
  }

  async *round(): AsyncGenerator<Finding, void> {
    if (this.#checkpoint.place.phase !== 'projects') {
      this.isComplete = true
      return
    }
    try {
      // The list comes in the same order each time; where the project is not in it, the round begins anew.
      const reached = yield* this.#walk(this.#checkpoint.place.project)
      if (!reached) yield* this.#walk(null)
      this.isComplete = true
      await this.#damaged?.roundEnded(this.#checkpoint.place.damagedWrites, this.#run)
    } catch (error) {
      yield unchecked(this.#run, 'the list of projects', error)
    }
  }

  async *#walk(after: string | null): AsyncGenerator<Finding, boolean> {
    let reached = after === null
    for await (const { id } of this.#run.store.catalogue.projects(this.#run)) {
      const isThere = id === after
      if (!reached && !isThere) continue
      reached = true
      const { write } = this.#checkpoint.place
      if (isThere && write === null) continue
      yield* this.#project(id, isThere ? write : null)
      await this.#done(id, null)
    }
    return reached
  }

  async *#project(id: ProjectId, after: string | null): AsyncGenerator<Finding, void> {
    try {
      const project = await this.#run.store.catalogue.read(id, this.#run)
      const life = project?.statics.life
      const counts = project && (life === 'live' || life === 'destroyed')
      const isDamaged = counts ? yield* this.#writes(project, after) : false
      // Only the whole of it shows that it is whole again.
      if (isDamaged || after === null) await this.#damaged?.checked(id, isDamaged, this.#run)
    } catch (error) {
      if (codeOf(error) === 'manifest-unreadable') yield this.#count(unreadable(id, error))
      else yield unchecked(this.#run, `project ${id}`, error, { project: id })
    }
  }

  async *#writes(project: Project, after: string | null): AsyncGenerator<Finding, boolean> {
    let isDamaged = false
    if (pathToHead(project) === null) {
      isDamaged = true
      if (after === null) yield this.#count(headUnreachable(project))
    }
    for (const row of committedAfter(project, after)) {
      const report = yield* this.#write(project.id, row)
      if (report?.outcome === 'damaged') isDamaged = true
      if (report) await this.#done(project.id, row.writeId)
    }
    return isDamaged
  }

  async *#write(project: ProjectId, row: WriteRow): AsyncGenerator<Finding, WriteReport | undefined> {
    const { store, depth, progress } = this.#run
    try {
      const report =
        depth === 'deep'
          ? await this.#verify(project, row)
          : await checkPresent(store, project, row, this.#run)
      progress.add({ writes: 1, ...(depth === 'present' && { chunks: report.chunkCount }) })
      if (report.outcome === 'damaged') this.#newlyDamaged++
      yield* findingsOf(project, row, report)
      return report
    } catch (error) {
      yield unchecked(this.#run, `write ${row.writeId} of ${project}`, error, {
        project,
        writeId: row.writeId,
      })
      return undefined
    }
  }

  #verify(project: ProjectId, row: WriteRow): Promise<WriteReport> {
    const { store, progress } = this.#run
    let told = 0n
    const onProgress = ({ bytes }: { bytes: bigint }): void => {
      progress.add({ chunks: 1, readBytes: bytes - told })
      told = bytes
    }
    return verifyWrite(store, project, row, { ...this.#run, onProgress })
  }

  #count(finding: DamageFinding): DamageFinding {
    this.#newlyDamaged++
    return finding
  }

  /** Counted together with the place, so that what is looked at twice counts once. */
  async #done(project: ProjectId, write: WriteId | null): Promise<void> {
    const damagedWrites = this.#checkpoint.place.damagedWrites + this.#newlyDamaged
    this.#newlyDamaged = 0
    await this.#checkpoint.move({ project, write, damagedWrites })
  }
}

/** In the order of their ids, which is one that stays. */
function committedAfter(project: Project, after: string | null): WriteRow[] {
  return [...project.rows.values()]
    .filter((row) => row.state === 'committed' && (after === null || row.writeId > after))
    .sort((a, b) => compare(a.writeId, b.writeId))
}

function compare(a: WriteId, b: WriteId): number {
  return a < b ? -1 : a > b ? 1 : 0
}

function headUnreachable({ id, statics }: Project): DamageFinding {
  return {
    kind: 'head-unreachable',
    project: id,
    writeId: null,
    message: `no committed writes lead to the head ${statics.head} of ${id}`,
    hint: `\`tidepool stream graph ${id}\` shows which points can be reached: roll back to one of them.`,
    action: 'none',
    chunks: [],
    chunkCount: 0,
  }
}

function unreadable(project: ProjectId, error: unknown): DamageFinding {
  return {
    kind: 'manifest-unreadable',
    project,
    writeId: null,
    message: messageOf(error),
    hint: 'The catalogue is damaged there: restore it from a copy, the chunks are left alone.',
    action: 'none',
    chunks: [],
    chunkCount: 0,
  }
}
