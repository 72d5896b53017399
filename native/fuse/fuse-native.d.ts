/** What is used of the addon, as its source has it and not its README; it brings no types. */
declare module 'fuse-native' {
  /** The first argument is always a number, 0 or a negative errno: anything else throws where nobody can catch it. */
  export type Answer<T> = (errno: number, value?: T) => void

  export interface FuseOperations {
    getattr?(path: string, answer: Answer<import('./answers.ts').Attributes>): void
    readdir?(path: string, answer: Answer<readonly string[]>): void
    readlink?(path: string, answer: Answer<string>): void
    statfs?(path: string, answer: Answer<Readonly<Record<string, number>>>): void
  }

  /** Options are looked at for truth, so a 0 has to be the text `0`. */
  export interface FuseOptions {
    readonly allowOther?: boolean
    readonly defaultPermissions?: boolean
    readonly fsname?: string
    readonly subtype?: string
    readonly entryTimeout?: string
    readonly attrTimeout?: string
    /** Milliseconds by operation. Never `false`: a second answer would then be taken for the next caller's. */
    readonly timeout?: Readonly<Record<string, number>> & { readonly default: number }
  }

  export default class Fuse {
    constructor(mountPoint: string, operations: FuseOperations, options: FuseOptions)
    mount(done: (error: Error | null | undefined) => void): void
    /** One for each thread that ever served a request: never given back. */
    readonly _threads: ReadonlySet<unknown>
  }
}
