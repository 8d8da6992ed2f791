package e2e

import (
	"math/rand/v2"
	"strconv"
	"testing"

	"hospay/collections"
	"hospay/lab/invariant"
	"hospay/lab/testapp"
	"hospay/sim"
	"hospay/sim/wechat"
	"hospay/store"
)

// TestTorture_RestoredCopy plays a random day, makes a backup in the middle of
// it, goes on with the orders that the backup has, and then works on from the
// backup: what was paid, debited and restored meanwhile is found out.
func TestTorture_RestoredCopy(t *testing.T) {
	seeds := number("TORTURE_SEEDS", 20)
	for i := range (seeds + 4) / 5 {
		seed := uint64(number("TORTURE_FIRST", 1) + i)
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			t.Parallel()
			restoreOne(t, seed)
		})
	}
}

func restoreOne(t *testing.T, seed uint64) {
	rng := rand.New(rand.NewPCG(seed, 17))
	a := testapp.New(t, testapp.Config{})
	if err := a.Sims.WeChat.Settings().Update(func(s *wechat.Settings) error {
		s.RefundGapSec, s.CallbackScale = 0, 0.01
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	d := newDay(t, a, rng, &crasher{rng: rand.New(rand.NewPCG(seed, 11))})
	for range 30 {
		d.act()
	}
	old := a.Backup()
	for range 40 { // nobody applies any more: what the backup does not have, no copy can know
		switch rng.IntN(4) {
		case 0:
			d.decide()
		case 1:
			d.cancel()
		case 2:
			d.confirm()
		}
		d.pass()
	}
	b := a.Open(old)
	c := newDay(t, b, rng, d.crash)
	c.orders = d.orders
	for _, core := range []*sim.Core{b.Sims.WeChat.Core, b.Sims.Alipay.Core, b.Sims.HIS.Core} { // callbacks still go to the original
		core.Faults().Clear()
	}
	for range 10 { // before anybody has looked
		c.decide()
		c.cancel()
		c.work()
	}
	ask(t, b)
	if ids, err := b.Store.Unchecked(t.Context(), store.CopyRefunds, 1000); err != nil || len(ids) > 0 {
		t.Fatalf("not asked for: %v %v", ids, err)
	}
	if err := collections.ReleaseCopy(b.Runtime.App); err != nil {
		t.Fatal(err)
	}
	b.Store.Forget()
	c.heal()
	c.verify(t, seed, invariant.IntentFirst) // the copy writes down later what the original had sent
	c.settle(t, seed)
}
