// The rule of names, as people/names.go holds it; both are tested by the table people/names.json.

const marks: Record<string, string> = {
  '·': '.。·•∙⋅・･‧․﹒．｡●᛫⸱ꞏ˙⸳◦',
  "'": '’‘ʼ＇`´',
  '-': '‐‑‒–—－',
}
const ours = new Map(Object.entries(marks).flatMap(([mark, others]) => [...others].map((c) => [c, mark] as const)))

const plain = (text: string) =>
  [...text].map((c) => ours.get(c) ?? (/[\p{Cf}\p{Variation_Selector}]/u.test(c) ? '' : c)).join('')

const spaced = (c: string | undefined) => !!c && c !== '·' && !/\p{Script=Han}/u.test(c)

/** writtenName is a name with plain characters, one middle dot, no blanks between Chinese characters and one between others. */
export function writtenName(text: string): string {
  const words = plain(plain(text).normalize('NFKC')).split(/[\s\p{Cc}]+/u).filter(Boolean)
  return words.reduce((all, w) => all + (spaced([...all].at(-1)) && spaced([...w][0]) ? ' ' : '') + w, '').normalize('NFC')
}

const key = (name: string) => writtenName(writtenName(name).toUpperCase())

/** sameName tells whether two names are one, however they were typed. */
export function sameName(a: string, b: string): boolean {
  return key(a) !== '' && key(a) === key(b)
}

/** nameFits compares a name with a mask by the characters that it shows: 张*, whose stars are the hidden characters up to three, or *三. */
export function nameFits(name: string, mask: string): boolean {
  const n = [...key(name)]
  const stars = mask.match(/\*+/)
  if (n.length === 0) return false
  if (!stars) return mask.trim() === '' || sameName(name, mask)
  const head = [...key(mask.slice(0, stars.index))]
  const tail = [...key(mask.slice(stars.index! + stars[0].length))]
  const hidden = n.length - head.length - tail.length
  const shown = head.every((c, i) => c === n[i]) && tail.every((c, i) => c === n[n.length - tail.length + i])
  return shown && hidden > 0 && (tail.length > 0 || Math.min(hidden, 3) === Math.min(stars[0].length, 3))
}
