package it

import (
	"bytes"
	"context"
	"net/http"
	"os"
	"path/filepath"

	"hospay/collections"
	"hospay/hooks/kit"
	"hospay/internal/alerts"
	"hospay/internal/checkup"
	"hospay/internal/metrics"
	"hospay/store"

	"github.com/pocketbase/pocketbase/core"
)

func (h *Hooks) bindMetricsRoutes(se *core.ServeEvent) {
	se.Router.GET("/metrics", h.metrics)
}

// metrics answers figures for Prometheus: to whoever reaches the listener of IT,
// where there is one, otherwise to superusers. No figure names a person.
func (h *Hooks) metrics(e *core.RequestEvent) error {
	if !kit.OnAdmin(e.Request) && !e.HasSuperuserAuth() {
		return kit.Denied(e)
	}
	families, err := h.figures(e.Request.Context())
	if err != nil {
		return h.Fail(e, err)
	}
	var b bytes.Buffer
	if err := metrics.Write(&b, families...); err != nil {
		return h.Fail(e, err)
	}
	return e.Blob(http.StatusOK, metrics.ContentType, b.Bytes())
}

// figures reads from indexes and from memory; it calls nobody.
func (h *Hooks) figures(ctx context.Context) ([]*metrics.Family, error) {
	var out []*metrics.Family
	for _, read := range []func(context.Context) ([]*metrics.Family, error){h.refundFigures, h.paymentFigures, h.jobFigures, h.linkFigures} {
		more, err := read(ctx)
		if err != nil {
			return nil, err
		}
		out = append(out, more...)
	}
	about, ready := gauge("hospay_build_info", "程序版本"), gauge("hospay_ready", "1 = 能够正常办理；0 = 原因见 /api/hospay/ready")
	about.Add(1, "version", h.Version)
	ready.Add(number(len(h.unready(ctx)) == 0))
	out = append(out, about, ready)
	return append(append(out, h.diskFigures()...), h.Calls.Families()...), nil
}

func gauge(name, help string) *metrics.Family {
	return &metrics.Family{Name: name, Kind: metrics.Gauge, Help: help}
}

func number(b bool) float64 { return map[bool]float64{true: 1}[b] }

func (h *Hooks) refundFigures(ctx context.Context) ([]*metrics.Family, error) {
	houses, err := h.Store.Overviews(ctx, h.Now())
	if err != nil {
		return nil, err
	}
	orders := gauge("hospay_refunds", "退款订单：未结束的为全部，已结束的为今天申请的，按状态")
	oldest := gauge("hospay_refund_oldest_seconds", "最早一笔未结束的退款已有多少秒")
	unknown := gauge("hospay_refunds_unknown", "已经查询过、结果仍不明确的退款")
	desk := gauge("hospay_refunds_suspense", "挂账等人处理的退款")
	frozen := gauge("hospay_payouts_frozen", "1 = 已暂停付款")
	paid := gauge("hospay_refunds_paid_today_fen", "今天各渠道已退金额，分")
	for _, o := range houses {
		for status, n := range o.Orders {
			orders.Add(float64(n), "institution", o.ID, "status", status)
		}
		age := 0.0
		if o.Oldest != nil {
			age = h.Now().Sub(o.Oldest.Since).Seconds()
		}
		oldest.Add(age, "institution", o.ID)
		unknown.Add(float64(o.Unknown), "institution", o.ID)
		desk.Add(float64(o.Suspense), "institution", o.ID)
		frozen.Add(number(o.Frozen), "institution", o.ID)
		for channel, p := range o.Paid {
			paid.Add(float64(p.Amount), "institution", o.ID, "channel", channel)
		}
	}
	held := gauge("hospay_payouts_held", "付款受阻（商户账户余额不足等），等商户账户恢复")
	waiting, err := h.Store.Held()
	for id, n := range waiting {
		held.Add(float64(n), "institution", id)
	}
	return []*metrics.Family{orders, oldest, unknown, desk, frozen, paid, held}, err
}

// Samples are the figures as the alert rules judge them.
func (h *Hooks) Samples(ctx context.Context) ([]alerts.Sample, error) {
	families, err := h.figures(ctx)
	if err != nil {
		return nil, err
	}
	var out []alerts.Sample
	for _, f := range families {
		f.Each(func(v float64, labels []string) {
			s := alerts.Sample{Name: f.Name, Value: v, Labels: map[string]string{}}
			for i := 0; i+1 < len(labels); i += 2 {
				s.Labels[labels[i]] = labels[i+1]
			}
			out = append(out, s)
		})
	}
	return out, nil
}

func (h *Hooks) paymentFigures(ctx context.Context) ([]*metrics.Family, error) {
	standing, err := h.Store.Payments().Standing(ctx)
	if err != nil {
		return nil, err
	}
	orders := gauge("hospay_payments", "未结束的缴费订单，按状态")
	oldest := gauge("hospay_payment_oldest_seconds", "各状态最早一笔未结束的缴费已有多少秒")
	desk := gauge("hospay_payments_suspense", "挂账等人处理的缴费")
	for _, s := range standing {
		orders.Add(float64(s.Count), "institution", s.Institution, "status", string(s.Status))
		oldest.Add(h.Now().Sub(s.Since).Seconds(), "institution", s.Institution, "status", string(s.Status))
		if s.Desk {
			desk.Add(float64(s.Count), "institution", s.Institution)
		}
	}
	late := gauge("hospay_orders_late", "到期超过五分钟还没有处理的退款和缴费")
	n, err := h.Store.Late(ctx, h.Now().Add(-oldestDue))
	late.Add(float64(n))
	return []*metrics.Family{orders, oldest, desk, late}, err
}

func (h *Hooks) jobFigures(ctx context.Context) ([]*metrics.Family, error) {
	last, err := h.Store.LastRuns(ctx)
	if err != nil {
		return nil, err
	}
	worked, err := h.Store.LastSuccess(ctx)
	if err != nil {
		return nil, err
	}
	ok := gauge("hospay_job_ok", "定时任务最近一次记录：1 = 成功")
	at := gauge("hospay_job_last_success_seconds", "定时任务上次成功距今多少秒；没有记录的不列出")
	for _, j := range h.Jobs.States() {
		if !j.Started.IsZero() {
			ok.Add(number(j.OK), "job", j.Name)
		} else if old, known := last[j.Name]; known {
			ok.Add(number(old.OK), "job", j.Name)
		}
		when := worked[j.Name]
		if j.OK && j.Finished.After(when) {
			when = j.Finished
		}
		if !when.IsZero() {
			at.Add(h.Now().Sub(when).Seconds(), "job", j.Name)
		}
	}
	return []*metrics.Family{ok, at}, nil
}

func (h *Hooks) linkFigures(ctx context.Context) ([]*metrics.Family, error) {
	links, err := h.Store.ActiveChannels(ctx)
	if err != nil {
		return nil, err
	}
	up := gauge("hospay_his_up", "1 = HIS 最近一次有应答")
	took := gauge("hospay_his_latency_seconds", "HIS 最近一次应答用了多少秒")
	for id, b := range h.Health.All() {
		up.Add(number(b.OK), "institution", id)
		took.Add(float64(b.MS)/1000, "institution", id)
	}
	whole := gauge("hospay_channel_configured", "1 = 渠道配置可用")
	days := gauge("hospay_certificate_days", "证书还有多少天到期")
	for _, l := range links {
		whole.Add(number(h.certified(ctx, l, days)), "institution", l.Institution, "channel", l.Channel)
	}
	return []*metrics.Family{up, took, whole, days}, nil
}

// certified reports whether the configuration of a channel can be used, and adds
// how long its certificates last.
func (h *Hooks) certified(ctx context.Context, l store.ChannelLink, days *metrics.Family) bool {
	conn, err := h.Store.Connection(ctx, l.Institution, l.Channel)
	if err != nil {
		return false
	}
	for _, c := range checkup.Certificates(l.Channel, conn, h.Now()) {
		if c.Days != nil {
			days.Add(float64(*c.Days), "institution", l.Institution, "channel", l.Channel, "certificate", c.Label)
		}
	}
	return true
}

func (h *Hooks) diskFigures() []*metrics.Family {
	free, size := gauge("hospay_disk_free_bytes", "数据目录所在磁盘的剩余空间"), gauge("hospay_database_bytes", "数据库文件大小")
	if n, err := checkup.DiskFree(h.App.DataDir()); err == nil {
		free.Add(float64(n))
	}
	for _, name := range []string{"data.db", "auxiliary.db"} {
		if info, err := os.Stat(filepath.Join(h.App.DataDir(), name)); err == nil {
			size.Add(float64(info.Size()), "file", name)
		}
	}
	missing := gauge("hospay_archives_missing", "1 = 有归档文件不能用，往年的处理记录看不到")
	missing.Add(number(collections.MissingArchives(h.App) != nil))
	return []*metrics.Family{free, size, missing}
}
