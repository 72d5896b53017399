/** Where notices are: among the mounts, where everybody can pass through. No project's, as no id has a dot. */
import { join } from 'node:path'

/** The access root has a link of this name. */
export const NOTICES = '.notices'

export const noticesIn = (mountRoot: string): string => join(mountRoot, NOTICES)
