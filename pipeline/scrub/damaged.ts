/**
 * Which projects were found damaged and not yet whole again, kept as a note: until then nothing of theirs is
 * superseded or deleted, because any other way to a point may be the one that mends it.
 */
import { z } from 'zod'
import type { ProjectId } from '../base/ids.ts'
import type { CallOptions, Catalogue } from '../stores/contract.ts'

const NOTE = 'scrub/damaged'
/** Past this the store as a whole is in trouble, and everything of everybody stays. */
const MAX_NAMED = 1_000

const schema = z.object({ layout: z.literal(1), projects: z.array(z.string()), more: z.boolean() })

export class DamagedProjects {
  readonly #catalogue: Catalogue
  readonly #projects: Set<string>
  #more: boolean

  static async load(catalogue: Catalogue, options: CallOptions): Promise<DamagedProjects> {
    const text = await catalogue.readNote(NOTE, options)
    const note = text === undefined ? undefined : parse(text)
    // A note that can't be read may have named any project.
    return new DamagedProjects(catalogue, note?.projects ?? [], note?.more ?? text !== undefined)
  }

  private constructor(catalogue: Catalogue, projects: readonly string[], more: boolean) {
    this.#catalogue = catalogue
    this.#projects = new Set(projects)
    this.#more = more
  }

  has(project: ProjectId): boolean {
    return this.#more || this.#projects.has(project)
  }

  async checked(project: ProjectId, isDamaged: boolean, options: CallOptions): Promise<void> {
    if (isDamaged === this.#projects.has(project)) return
    if (!isDamaged) this.#projects.delete(project)
    else if (this.#projects.size < MAX_NAMED) this.#projects.add(project)
    else if (this.#more) return
    else this.#more = true
    await this.#write(options)
  }

  /** After a whole round that found no more than it could name. */
  async roundEnded(damagedWrites: number, options: CallOptions): Promise<void> {
    if (!this.#more || damagedWrites > MAX_NAMED) return
    this.#more = false
    await this.#write(options)
  }

  async #write(options: CallOptions): Promise<void> {
    const projects = [...this.#projects]
    const note = { layout: 1, projects, more: this.#more }
    const isEmpty = projects.length === 0 && !this.#more
    await this.#catalogue.writeNote(NOTE, isEmpty ? undefined : JSON.stringify(note), options)
  }
}

function parse(text: string): z.infer<typeof schema> | undefined {
  try {
    return schema.safeParse(JSON.parse(text)).data
  } catch {
    return undefined
  }
}
