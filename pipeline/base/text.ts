/** Names of files as text: they are bytes, and need not be any. */

/** As it is where it is plain text; else what is none, a control character or a backslash is written as `\xNN`. */
export function textOfName(name: Buffer): string {
  const text = name.toString('utf8')
  const isPlain = Buffer.from(text, 'utf8').equals(name) && !/[\p{Cc}\\]/u.test(text)
  if (isPlain) return text
  return [...name]
    .map((byte) =>
      byte >= 0x20 && byte < 0x7f && byte !== 0x5c
        ? String.fromCharCode(byte)
        : `\\x${byte.toString(16).padStart(2, '0')}`,
    )
    .join('')
}
