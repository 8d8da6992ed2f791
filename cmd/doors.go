package cmd

import (
	"context"

	"hospay/config"
	"hospay/flow"
	"hospay/hooks"
	"hospay/hooks/finance"
	"hospay/hooks/gate"
	"hospay/hooks/his"
	"hospay/hooks/inbound"
	"hospay/hooks/it"
	"hospay/hooks/kit"
	"hospay/hooks/patient"
	"hospay/hooks/payments"
	"hospay/hooks/staff"
	"hospay/payment"
	"hospay/refund"
	"hospay/store"
)

// edge puts the doors together.
func edge(rt *Runtime, o Options) (*hooks.Hooks, error) {
	proxies, err := gate.ParseProxies(o.Proxy, o.Header)
	if err != nil {
		return nil, err
	}
	production := o.Env == EnvProduction
	rt.Kit = &kit.Kit{App: rt.App, Store: rt.Store, Log: rt.log, Production: production, Limited: production || o.Limits}
	intake := refund.NewIntake(rt.Store, rt.Store, o.Now, rt.log)
	settings := &config.Service{App: rt.App, Store: rt.Store, Production: production}
	out := &hooks.Hooks{
		Kit:     rt.Kit,
		Gate:    gate.Gate{Proxies: proxies, Separate: o.Admin != ""},
		Patient: patient.Hooks{Service: rt.Service, Worker: rt.Worker, Intake: intake},
		Staff: staff.Hooks{Service: rt.Service, Worker: rt.Worker, Intake: intake, Exports: rt.Exports, Settings: settings,
			Batches: &store.BatchRunner{Store: rt.Store, Log: rt.log}},
		Finance: finance.Hooks{Books: rt.Books, Worker: rt.Worker},
		IT: it.Hooks{Worker: rt.Worker, Settings: settings, Health: rt.Health, Jobs: rt.Jobs, Version: version(), Calls: &rt.calls,
			Setup: &talks{rt: rt, settings: settings}, Guards: o.program().Guards},
		Inbound:  inbound.Hooks{Inbox: inbox(rt)},
		HIS:      his.Hooks{Bills: rt.Bills, Worker: rt.Worker},
		Payments: payments.Hooks{Bills: rt.Bills, Worker: rt.Worker, Intake: intake},
	}
	rt.samples = out.IT.Samples
	return out, nil
}

// inbox says who reads which callbacks. What was booked is worked on at once.
func inbox(rt *Runtime) *flow.Inbox {
	in := &flow.Inbox{}
	in.Handle(func(ctx context.Context, c flow.Callback) (string, error) {
		effect, err := rt.Service.Heard(ctx, c)
		if err == nil {
			rt.Worker.Kick()
		}
		return effect, err
	}, refund.CallbackTransfer, refund.CallbackRefund)
	in.Handle(func(ctx context.Context, c flow.Callback) (string, error) {
		effect, err := rt.Bills.Heard(ctx, c)
		if err == nil {
			rt.Worker.Kick()
		}
		return effect, err
	}, payment.CallbackTrade, payment.CallbackMixed, payment.CallbackTradeRefund, payment.CallbackSettlement)
	return in
}
