import fc from 'fast-check'

/** For `fc.string`: any code point, halves of surrogate pairs too. Its own 'binary' first makes a table of all, which takes a second. */
export const anyCharacter = fc.nat(0x10ffff).map((code) => String.fromCodePoint(code))
