// The patient's cards, and the one that a page is about.
import { ref, type Ref } from 'vue'
import type { CardView, CardsView } from '@shared/answers'
import { call } from '@shared/api'
import { openPay, pay } from './draft'

/** useCards reads the cards and chooses the former one, or the only one. */
export function useCards(): { cards: Ref<CardView[] | null>; readCards: () => Promise<void> } {
  const cards = ref<CardView[] | null>(null)
  async function readCards(): Promise<void> {
    openPay()
    const all = (await call<CardsView>('GET', '/api/hospay/cards')).cards
    if (!all.some((c) => c.card_no === pay.cardNo)) pay.cardNo = all[0]?.card_no ?? ''
    cards.value = all
  }
  return { cards, readCards }
}
