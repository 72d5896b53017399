/** What a project may be after its process was killed: kept beside it by what it told of its deeds before it began them. */
import type { ProjectId } from '../../../pipeline/base/ids.ts'
import type { LifeOrders, Told, Verb } from './life.ts'
import type { Steps } from './steps.ts'

export interface ProjectPage {
  readonly id: ProjectId
  steps: Steps
  /** A step that was begun: done or not, never half. */
  stepping: number | undefined
  /** A deed that was begun, and where it leads to. */
  doing: { readonly verb: Verb; readonly point: string | undefined } | undefined
  /** Those that were let go too: what was restored of one may still be there. */
  readonly points: Map<string, Steps>
  /** Of these, the ones that can no longer be had back. */
  readonly gone: Set<string>
  /** As far as is known: a `destroy` or an `undelete` that was begun may have happened. */
  destroyed: boolean
  /** What was told of it, for whoever has to find out why it is not what it should be. */
  readonly story: string[]
}

export class Ledger {
  readonly pages = new Map<ProjectId, ProjectPage>()
  /** Of the deeds that were under way when their process was killed: what the test has tried at all. */
  readonly interrupted = new Map<Verb | 'step' | 'nothing', number>()

  note(told: Extract<Told, { readonly id: ProjectId }>): void {
    const page = this.#page(told.id)
    if (told.tells === 'begin' || told.tells === 'done' || told.tells === 'gone')
      page.story.push(`${told.tells} ${told.verb} ${told.point ?? ''} at ${page.steps.length}`)
    if (told.tells === 'step') page.stepping = told.branch
    else if (told.tells === 'stepped') {
      if (page.stepping !== undefined) page.steps = [...page.steps, page.stepping]
      page.stepping = undefined
    } else if (told.tells === 'begin') page.doing = { verb: told.verb, point: told.point }
    else if (told.tells === 'gone') {
      page.doing = undefined
      page.gone.add(told.point)
    } else {
      page.doing = undefined
      if (told.verb === 'save' && told.point !== undefined) page.points.set(told.point, page.steps)
      if (told.verb === 'rollback') page.steps = page.points.get(told.point as string) as Steps
      if (told.verb === 'destroy') page.destroyed = true
      if (told.verb === 'undelete') page.destroyed = false
    }
  }

  /** Its process is dead. */
  killed(): void {
    let count = 0
    for (const { doing, stepping, story } of this.pages.values()) {
      const what = doing?.verb ?? (stepping === undefined ? undefined : 'step')
      if (what === undefined) continue
      story.push(`killed while doing ${what}`)
      count += 1
      this.interrupted.set(what, (this.interrupted.get(what) ?? 0) + 1)
    }
    if (count === 0) this.interrupted.set('nothing', (this.interrupted.get('nothing') ?? 0) + 1)
  }

  /** Every state that the project may be in now. */
  possible({ steps, stepping, doing, points }: ProjectPage): Steps[] {
    const states = [steps]
    if (stepping !== undefined) states.push([...steps, stepping])
    if (doing?.verb === 'rollback') states.push(points.get(doing.point as string) as Steps)
    return states
  }

  /** What was found is from now on what it is. */
  settle(page: ProjectPage, steps: Steps, destroyed: boolean): void {
    page.story.push(`found with ${steps.length} steps${destroyed ? ', destroyed' : ''}`)
    page.steps = steps
    page.stepping = undefined
    page.doing = undefined
    page.destroyed = destroyed
  }

  /** What the next life may work on; points of what was rolled back past them included. */
  orders(max: number): LifeOrders['projects'] {
    return [...this.pages.values()]
      .filter(({ destroyed }) => !destroyed)
      .slice(-max)
      .map(({ id, steps, points, gone }) => ({
        id,
        steps: steps.length,
        points: [...points]
          .filter(([point]) => !gone.has(point))
          .slice(-4)
          .map(([point, at]) => [point, at.length] as const),
      }))
  }

  #page(id: ProjectId): ProjectPage {
    const there = this.pages.get(id)
    if (there) return there
    const page: ProjectPage = {
      id,
      steps: [],
      stepping: undefined,
      doing: undefined,
      points: new Map(),
      gone: new Set(),
      destroyed: false,
      story: [],
    }
    this.pages.set(id, page)
    return page
  }
}
