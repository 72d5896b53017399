/** The text of a configuration whose directories all lie in one place: of a demonstration, a test or a measurement. */
import { join } from 'node:path'

export interface InPlace {
  readonly store: string
  readonly dataset: string
}

/** `more`: lines behind it. */
export function configInPlace(
  place: string,
  { store, dataset }: InPlace,
  more: readonly string[] = [],
): string {
  const at = (name: string): string => join(place, name)
  return [
    `store: ${store}`,
    `dataset: ${dataset}`,
    `access: ${at('projects')}`,
    `mounts: ${at('mnt')}`,
    `state: ${at('state')}`,
    `run: ${at('run')}`,
    ...more,
  ].join('\n')
}
