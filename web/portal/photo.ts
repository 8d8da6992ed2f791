// Photos are shrunk on the phone before they are sent: less to wait for, and
// the place where they were taken stays on the phone. The server checks and
// encodes them once more.
import { Failure } from '@shared/api'
import { t } from '@shared/i18n'
import { upload } from '@shared/upload'

export const maxSide = 1600
const maxPixels = 60_000_000
const maxBytes = 40 << 20

/** dimensions reads width and height from the head of a JPEG or PNG without decoding it; null for anything else. */
export function dimensions(head: Uint8Array): { width: number; height: number } | null {
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength)
  if (head.length > 24 && view.getUint32(0) === 0x89504e47) return { width: view.getUint32(16), height: view.getUint32(20) }
  if (head.length < 4 || view.getUint16(0) !== 0xffd8) return null
  for (let i = 2; i + 9 < head.length;) {
    if (head[i] !== 0xff) return null
    const marker = head[i + 1] ?? 0
    if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)) return { width: view.getUint16(i + 7), height: view.getUint16(i + 5) }
    i += 2 + view.getUint16(i + 2)
  }
  return null
}

/** fit scales a size so that its longer side is at most maxSide. */
export function fit(width: number, height: number): { width: number; height: number } {
  const f = Math.min(1, maxSide / Math.max(width, height))
  return { width: Math.max(1, Math.round(width * f)), height: Math.max(1, Math.round(height * f)) }
}

/** shrink turns a picked picture into a JPEG of at most maxSide, upright and without metadata. */
export async function shrink(file: File): Promise<Blob> {
  if (file.size > maxBytes) throw new Failure('image_too_large', t('error.image_too_large'))
  const size = dimensions(new Uint8Array(await file.slice(0, 512 * 1024).arrayBuffer()))
  if (size && size.width * size.height > maxPixels) throw new Failure('image_too_large', t('error.image_too_large'))
  let bitmap: ImageBitmap
  try {
    bitmap = await createImageBitmap(file, { imageOrientation: 'from-image' })
  } catch {
    throw new Failure('image_invalid', t('error.image_invalid'))
  }
  try {
    const to = fit(bitmap.width, bitmap.height)
    const canvas = document.createElement('canvas')
    Object.assign(canvas, to)
    const pen = canvas.getContext('2d')
    if (!pen) throw new Failure('image_invalid', t('error.image_invalid'))
    pen.fillStyle = '#fff'
    pen.fillRect(0, 0, to.width, to.height)
    pen.drawImage(bitmap, 0, 0, to.width, to.height)
    const blob = await new Promise<Blob | null>((done) => canvas.toBlob(done, 'image/jpeg', 0.85))
    if (!blob) throw new Failure('image_invalid', t('error.image_invalid'))
    return blob
  } finally {
    bitmap.close()
  }
}

/** sendPhoto sends one photo and tells its progress. */
export function sendPhoto(application: string, kind: string, photo: Blob, progress: (share: number) => void): Promise<unknown> {
  const form = new FormData()
  form.set('application', application)
  form.set('kind', kind)
  form.set('file', photo, `${kind}.jpg`)
  return upload('/api/collections/proxy_materials/records', form, progress, 120_000)
}
