package store_test

import (
	"slices"
	"sync"
	"testing"

	"hospay/internal/testday"
	"hospay/lab/testapp"
	"hospay/refund"
)

func cardsOf(t *testing.T, a *testapp.App, patient string) (numbers []string) {
	t.Helper()
	if err := a.Runtime.App.ConcurrentDB().NewQuery("SELECT card_no FROM patient_cards WHERE patient = '" + patient + "' ORDER BY card_no").
		Column(&numbers); err != nil {
		t.Fatal(err)
	}
	return numbers
}

// HIS may list a card twice, and one fewer than before; the first of two counts.
func TestSaveCards_AsHISListsThem(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	p := a.Login("P0001", "alipay")
	card := func(no string) refund.Card {
		return refund.Card{No: no, Name: "欧阳·诗", Balance: 100, Refundable: 100}
	}
	for _, step := range []struct{ listed, kept []string }{
		{[]string{"K1", "K2", "K1"}, []string{"K1", "K2"}}, {[]string{"K2", "K3", "K3"}, []string{"K2", "K3"}},
		{nil, nil}, {[]string{"K1"}, []string{"K1"}},
	} {
		var cards []refund.Card
		for _, no := range step.listed {
			cards = append(cards, card(no))
		}
		if err := a.Store.SaveCards(t.Context(), p.ID, cards, testday.Now()); err != nil {
			t.Fatal(step.listed, err)
		}
		if got := cardsOf(t, a, p.ID); !slices.Equal(got, step.kept) {
			t.Errorf("%v: %v", step.listed, got)
		}
	}
}

// What several say at the same moment of one patient's cards is whole, whoever
// came last.
func TestSaveCards_SeveralAtOnce(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	p := a.Login("P0001", "alipay")
	sets := [][]string{{"K1", "K2"}, {"K2", "K3"}, {"K1", "K3"}}
	var wg sync.WaitGroup
	for i := range 24 {
		wg.Go(func() {
			var cards []refund.Card
			for _, no := range sets[i%len(sets)] {
				cards = append(cards, refund.Card{No: no, Name: "阿依古丽·买买提"})
			}
			if err := a.Store.SaveCards(t.Context(), p.ID, cards, testday.Now()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	got := cardsOf(t, a, p.ID)
	if !slices.ContainsFunc(sets, func(s []string) bool { return slices.Equal(s, got) }) {
		t.Error("a mixture:", got)
	}
}
