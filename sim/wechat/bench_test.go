package wechat_test

import (
	"context"
	"strconv"
	"sync/atomic"
	"testing"

	"hospay/sim/wechat"
)

// BenchmarkOrder is one transfer with everything around it: create, confirm at
// once, callback, one query. Client and simulator share the machine.
func BenchmarkOrder(b *testing.B) {
	r := setup(b)
	r.Settings().Update(func(s *wechat.Settings) error { s.AutoConfirm = true; return nil })
	var n atomic.Int64
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			no := "B" + strconv.FormatInt(n.Add(1), 10)
			rsp, err := r.client.V3TransferBills(context.Background(), r.body(no, 500, "P0001"))
			if err != nil || rsp.Code != 0 {
				b.Error(err, rsp)
				return
			}
			if _, err := r.client.V3TransferBillsMerchantQuery(context.Background(), no); err != nil {
				b.Error(err)
			}
		}
	})
}
