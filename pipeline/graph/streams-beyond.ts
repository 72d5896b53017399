/** Which streams a store holds that use more than given features: what hosts with only these could not open. */
import type { ProjectId } from '../base/ids.ts'
import type { CallOptions, Catalogue } from '../stores/contract.ts'

export interface StreamsBeyond {
  readonly count: number
  /** What they use that was not given. */
  readonly features: readonly string[]
  readonly projects: readonly ProjectId[]
}

/** Reads every project: an operator's question, asked once in a great while. What is written meanwhile may be missed. */
export async function streamsBeyond(
  catalogue: Catalogue,
  allowed: readonly string[],
  options: CallOptions = {},
): Promise<StreamsBeyond> {
  const features = new Set<string>()
  const projects = new Set<ProjectId>()
  let count = 0
  for await (const { id } of catalogue.projects(options)) {
    const rows = (await catalogue.read(id, options))?.rows.values() ?? []
    for (const { state, manifest } of rows) {
      if (state !== 'committed' || !manifest) continue
      const foreign = manifest.stream.features.filter((feature) => !allowed.includes(feature))
      if (foreign.length === 0) continue
      count++
      projects.add(id)
      for (const feature of foreign) features.add(feature)
    }
  }
  return { count, features: [...features].sort(), projects: [...projects].sort() }
}
