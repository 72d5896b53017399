/** A configuration that anybody may see: what is secret in it is not. */
const SECRET_KEY = /password|secret|token|passphrase/i

/** `//user:password@host`, in whatever value it stands. */
const IN_URL = /\/\/[^/@\s]*@/g

export function masked(value: unknown, key = ''): unknown {
  if (Array.isArray(value)) return value.map((one) => masked(one, key))
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, masked(one, name)]))
  if (typeof value !== 'string') return value
  return SECRET_KEY.test(key) ? '***' : value.replace(IN_URL, '//***@')
}
