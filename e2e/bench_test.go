package e2e

import (
	"fmt"
	"sync/atomic"
	"testing"

	"hospay/lab/demo"
	"hospay/lab/testapp"
	"hospay/refund"
)

// BenchmarkRefund takes orders the whole way, application to money, with
// everything in one process: what a profile of the program is made with.
func BenchmarkRefund(b *testing.B) {
	a := testapp.New(b, testapp.Config{Live: true, Patients: 400, Settings: demo.Settings{Review: refund.ReviewSettings{
		Auto: true, Rules: []refund.Rule{{Name: refund.RuleNameEqual, OnFail: refund.OutcomeReject}},
	}}})
	var people []*testapp.Patient
	for i := range 400 {
		people = append(people, a.Login(fmt.Sprintf("P%04d", i+1), "alipay"))
	}
	var next, taken atomic.Int64
	b.SetParallelism(8)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			p := people[int(next.Add(1))%len(people)]
			if p.Apply("alipay", "transfer", 100, nil).Status == 200 {
				taken.Add(1)
			}
		}
	})
	b.ReportMetric(float64(taken.Load())/b.Elapsed().Seconds(), "orders/s")
}
