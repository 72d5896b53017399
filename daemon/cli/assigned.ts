/** `name=value` of the command line, as many as were given. */
import { TidepoolError } from '../../pipeline/base/errors.ts'

/** Of two with one name the later holds. Rejects with `bad-property` what is no such pair. */
export function assigned(texts: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    texts.map((text) => {
      const at = text.indexOf('=')
      if (at > 0) return [text.slice(0, at), text.slice(at + 1)]
      throw new TidepoolError('bad-property', `${JSON.stringify(text)} is no name=value`, {
        hint: 'For instance compression=gzip.',
      })
    }),
  )
}
