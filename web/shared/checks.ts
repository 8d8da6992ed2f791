// Checks beside the fields. The server decides; these only save a round trip.

/** phone is a mobile number in its eleven digits: +86, blanks, dashes and full-width digits do not count (people/phone.go). */
export function phone(text: string): string {
  return text.normalize('NFKC').replace(/[\s()‐‑–—-]/g, '').replace(/^(\+86|0086|86)(?=.{11}$)/, '')
}

export function phoneOK(text: string): boolean {
  return /^1\d{10}$/.test(phone(text))
}

/** alipayOK: a mobile number, an e-mail address or a 2088 user number. */
export function alipayOK(text: string): boolean {
  const s = text.trim()
  return phoneOK(s) || /^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(s) || /^2088\d{12}$/.test(s)
}

const weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]

/** idNoOK checks a resident ID number: form, date and check character (GB 11643). */
export function idNoOK(text: string, now = new Date()): boolean {
  const s = text.trim().toUpperCase()
  if (!/^\d{17}[\dX]$/.test(s)) return false
  const birth = birthday(s)
  if (!birth || birth > now || birth.getFullYear() < 1880) return false
  const sum = weights.reduce((n, w, i) => n + w * Number(s[i]), 0)
  return '10X98765432'[sum % 11] === s[17]
}

// A paper by which a patient can be known, by its number in HIS (internal/idno/papers.go).
const DASHES = /[-‐‑–—－.() \u3000]/g

/** paperForm brings the number of a paper into its one form. */
export function paperForm(paper: string, text: string): string {
  const s = text.normalize('NFKC').trim().toUpperCase()
  return paper === '01' ? s.replace(/ /g, '') : s.replace(DASHES, '')
}

/** paperOK checks the number of a paper by its form. */
export function paperOK(paper: string, text: string, now = new Date()): boolean {
  const s = paperForm(paper, text)
  const whole = idNoOK(s, now)
  if (paper === '01') return whole
  if (paper === '12') return whole && /^8[123]0000/.test(s)
  if (paper === '11') return (whole && s.startsWith('9')) || (/^[A-Z]{3}\d{12}$/.test(s) && ['19', '20'].some((c) => day(c + s.slice(7, 13))))
  return paper === '03' && /^[A-Z0-9]{5,12}$/.test(s) && /\d/.test(s)
}

/** agePaper is the age by the number of a paper, or -1 where it tells none. */
export function agePaper(paper: string, text: string): number {
  const s = paperForm(paper, text)
  return paper !== '03' && idNoOK(s) ? ageOf(s) : -1
}

const birthday = (idNo: string) => day(idNo.slice(6, 14))

function day(text: string): Date | null {
  const [y, m, d] = [Number(text.slice(0, 4)), Number(text.slice(4, 6)), Number(text.slice(6, 8))]
  const date = new Date(y, m - 1, d)
  return date.getFullYear() === y && date.getMonth() === m - 1 && date.getDate() === d ? date : null
}

/** ageOf is the age in full years by a valid ID number. */
export function ageOf(idNo: string, now = new Date()): number {
  const birth = birthday(idNo.trim())
  if (!birth) return 0
  const before = now.getMonth() < birth.getMonth() || (now.getMonth() === birth.getMonth() && now.getDate() < birth.getDate())
  return now.getFullYear() - birth.getFullYear() - (before ? 1 : 0)
}
