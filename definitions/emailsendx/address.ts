import { MAX_EMAIL_LENGTH } from './constants'

// One @, something on both sides, a dot inside the domain, no empty label. What else makes an address real, only mail can tell.
const ADDRESS = /^[^@]+@[^@.]+(\.[^@.]+)+$/
// RFC 5321 allows these in quotes only. Unquoted, they are what is left of `Morgan <a@b.co>`, `mailto:a@b.co` or `a@b.co,c@d.co`.
const SPECIAL = /[()<>[\]:;,"\\]/
// White space, control characters, broken surrogates, soft hyphens, zero-width spaces and marks of direction: always a
// slip of the keyboard or of a copy and paste. Joiners stay allowed, some scripts and emoji are written with them.
const FOREIGN = /[\s\p{Cc}\p{Cs}\u00ad\u200b\u200e\u200f\u2060\u202a-\u202e\u2066-\u2069]/u

/** Trimmed and lower-cased address, or undefined when the text is not one. The API treats the address as the identity. */
export function toEmail(text: string): string | undefined {
  const email = text.trim().toLowerCase()
  return email.length <= MAX_EMAIL_LENGTH && ADDRESS.test(email) && !SPECIAL.test(email) && !FOREIGN.test(email)
    ? email
    : undefined
}

/** Why a text is no address, to be read after a colon; it repeats nothing of it. */
export function whatIsWrong(text: string): string {
  const email = text.trim()
  if (email.length > MAX_EMAIL_LENGTH)
    return `it has ${email.length} characters, at most ${MAX_EMAIL_LENGTH} are allowed`
  if (FOREIGN.test(email)) return 'it contains spaces, control or invisible characters'
  if (SPECIAL.test(email)) return 'it contains one of < > ( ) [ ] : ; , " \\'
  if (email.split('@').length !== 2) return 'it must contain exactly one @'
  return 'it needs a name before the @ and a domain with a dot after it'
}
