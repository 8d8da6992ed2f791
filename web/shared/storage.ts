// What a browser keeps for the pages. A browser that keeps nothing (storage
// full, forbidden or edited by hand) makes a page forgetful, never broken.
type Place = 'local' | 'session'

const of = (place: Place) => (place === 'local' ? localStorage : sessionStorage)

/** stored is the text under a key, or null. */
export function stored(key: string, place: Place = 'local'): string | null {
  try {
    return of(place).getItem(key)
  } catch {
    return null
  }
}

/** storedAs is the value under a key; null when there is none that can be read. */
export function storedAs<T>(key: string, place: Place = 'local'): T | null {
  try {
    return JSON.parse(of(place).getItem(key) ?? 'null') as T | null
  } catch {
    return null
  }
}

/** store keeps a text, or any other value as JSON. */
export function store(key: string, value: unknown, place: Place = 'local'): void {
  try {
    of(place).setItem(key, typeof value === 'string' ? value : JSON.stringify(value))
  } catch {
    // it lasts as long as the page
  }
}

/** unstore forgets a key. */
export function unstore(key: string, place: Place = 'local'): void {
  try {
    of(place).removeItem(key)
  } catch {
    // nothing was kept
  }
}

/** storedKeys lists the keys with a beginning. */
export function storedKeys(start: string): string[] {
  try {
    return Object.keys(localStorage).filter((k) => k.startsWith(start))
  } catch {
    return []
  }
}
