package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"hospay/calendar"
	"hospay/collections"
	"hospay/flow"
	"hospay/internal/i18n"
	"hospay/internal/vault"
	"hospay/notify"
	"hospay/payment"
	"hospay/refund"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// noticeData is what a notice row keeps, beside its text, for its sender.
type noticeData struct {
	Template string            `json:"template,omitempty"`
	Values   map[string]string `json:"values,omitempty"`
}

// told is what a notice is about: an order, or a proxy application, which has
// no channel.
type told struct {
	order, payment, institution, patient, channel string
	page                                          string // of the portal
	before                                        int    // how often the event was told of the payment
	values                                        map[string]string
}

// queueNotice writes the outbox rows of a notice about an order. An order may
// need people more than once, and each time is told; so is each day of a hold.
func (s *Store) queueNotice(tx core.App, o refund.Order, n flow.Notice) error {
	if n.Event == flow.NoticeSuspense || n.Event == flow.NoticeHold {
		before := dbx.HashExp{"order": o.ID, "event": string(n.Event), "via": notify.ViaInApp, "staff": true}
		if err := tx.DB().Select("COUNT(*)").From(collections.Notifications).Where(dbx.And(before, dbx.NewExp("`order` != ''"))).
			Row(&n.Round); err != nil {
			return err
		}
	}
	about := told{order: o.ID, institution: o.Institution, patient: o.Patient, channel: o.Channel, values: noticeValues(o, s.now())}
	if !n.Staff {
		about.page = pageOf(n.Event, o)
	}
	return s.tell(tx, about, n)
}

// tell writes the outbox rows of a notice, one per way in which the person can
// be reached. The unique index makes it once per order and event.
func (s *Store) tell(tx core.App, o told, n flow.Notice) error {
	text, err := readNoticeText(tx.DB(), o.institution, n.Event)
	if err != nil {
		return err
	}
	row := dbx.Params{
		"order": o.order, "payment": o.payment, "institution": o.institution, "patient": o.patient, "event": string(n.Event),
		"round": n.Round + o.before, "staff": n.Staff,
		"title": i18n.Fill(text.Title, pairs(o.values)...), "page": o.page, "next_at": stamp(n.At),
	}
	for via, data := range s.ways(tx.DB(), o, n, text) {
		row["id"] = newID()
		short := ""
		if via == notify.ViaSMS {
			if short, err = shortLink(tx.DB(), o.institution, o.channel, row["id"].(string)); err != nil {
				return err
			}
		}
		row["body"] = clip(text.words(o.values, short), 1000)
		if err := insertNotice(tx, row, via, data, n.At); err != nil {
			return err
		}
	}
	return nil
}

// ways lists how a notice goes out.
func (s *Store) ways(db dbx.Builder, o told, n flow.Notice, text noticeText) map[string]noticeData {
	out := map[string]noticeData{notify.ViaInApp: {}}
	if n.Staff {
		if s.app.Settings().SMTP.Enabled {
			out[notify.ViaEmail] = noticeData{}
		}
		return out
	}
	var p struct {
		Wechat bool   `db:"wechat_bound"`
		Alipay bool   `db:"alipay_bound"`
		Via    string `db:"via"`
	}
	if err := db.Select("wechat_bound", "alipay_bound", "via").From(collections.Patients).Where(dbx.HashExp{"id": o.patient}).
		One(&p); err != nil {
		return out
	}
	for channel, bound := range map[string]bool{notify.ViaWechat: p.Wechat, notify.ViaAlipay: p.Alipay} {
		if id := text.template(channel); bound && id != "" && (o.channel == channel || p.Via == channel) {
			out[channel] = noticeData{Template: id, Values: text.values(channel, o.values)}
		}
	}
	if text.SMS && n.Round == 0 {
		out[notify.ViaSMS] = noticeData{Values: o.values}
	}
	return out
}

func insertNotice(tx core.App, common dbx.Params, via string, data noticeData, at time.Time) error {
	now := collections.Now(tx)
	row := dbx.Params{"via": via, "state": "queued", "data": jsonText(data), "created": stamp(now), "updated": stamp(now)}
	for k, v := range common {
		row[k] = v
	}
	if via == notify.ViaInApp && !at.After(now) { // to be seen is to be sent
		row["state"], row["sent_at"], row["next_at"] = "sent", stamp(now), ""
	}
	_, err := tx.DB().Insert(collections.Notifications, row).Execute()
	if isUnique(err) { // told before
		return nil
	}
	return err
}

// noticeValues are the places that texts and templates may use. None of them
// holds personal data.
func noticeValues(o refund.Order, now time.Time) map[string]string {
	return map[string]string{
		"no": o.No, "amount": o.Amount.String(), "reason": ReasonText(o.FailCode, o.FailReason),
		"channel": i18n.Text(i18n.Default, "channel."+o.Channel), "method": i18n.Text(i18n.Default, "method."+string(o.Method)),
		"time": now.In(calendar.Beijing).Format("2006-01-02 15:04"), "status": i18n.Text(i18n.Default, "status."+string(o.Status)),
	}
}

// ReasonText turns a stored failure into words for people.
func ReasonText(code, reason string) string {
	switch {
	case code == "":
	case i18n.Has("reason." + code): // some of ours are told with the other side's words
		return i18n.Text(i18n.Default, "reason."+code, "detail", reason)
	case i18n.Has("error." + code):
		return i18n.Text(i18n.Default, "error."+code, "detail", "")
	}
	if reason != "" {
		return reason
	}
	return code
}

// Outbox returns the queue of notices.
func (s *Store) Outbox() notify.Outbox { return outbox{s} }

type outbox struct{ *Store }

type noticeRow struct {
	ID          string `db:"id"`
	Order       string `db:"order"`
	Patient     string `db:"patient"`
	Institution string `db:"institution"`
	Event       string `db:"event"`
	Round       int    `db:"round"`
	Via         string `db:"via"`
	Title       string `db:"title"`
	Body        string `db:"body"`
	Data        string `db:"data"`
	Tries       int    `db:"tries"`
	Status      string `db:"status"`
	Page        string `db:"page"`
}

// Due returns notices to be sent now, oldest first.
func (q outbox) Due(ctx context.Context, now time.Time, limit int) ([]notify.Message, error) {
	var rows []noticeRow
	err := q.app.ConcurrentDB().NewQuery(
		"SELECT n.id, n.`order`, n.patient, n.institution, n.event, n.round, n.via, n.title, n.body, n.data, n.page," +
			" n.tries, COALESCE(o.status, p.status, '') AS status FROM main.notifications n LEFT JOIN refund_orders o ON o.id = n.`order` " +
			"LEFT JOIN payment_orders p ON p.id = n.payment WHERE n.state = 'queued' AND n.next_at <= {:now} ORDER BY " +
			"n.next_at " +
			"LIMIT {:limit}").
		Bind(dbx.Params{"now": stamp(now), "limit": limit}).WithContext(ctx).All(&rows)
	if err != nil {
		return nil, err
	}
	out := make([]notify.Message, 0, len(rows))
	for _, r := range rows {
		var data noticeData
		_ = json.Unmarshal([]byte(r.Data), &data)
		to, err := link(q.app.ConcurrentDB(), r.Institution, r.Via, r.Page)
		if err != nil {
			return nil, err
		}
		out = append(out, notify.Message{
			ID: r.ID, Order: r.Order, Patient: r.Patient, Institution: r.Institution, Via: r.Via, Title: r.Title, Body: r.Body,
			Template: data.Template, Values: data.Values, Link: to, Tries: r.Tries,
			Stale: r.stale(),
		})
	}
	return out, nil
}

// stale reports whether what a notice asks for has been done meanwhile.
func (r noticeRow) stale() bool {
	switch r.Event {
	case string(refund.NoticeAwaitingPayee):
		return r.Status != string(refund.StatusAwaitingPayee)
	case string(payment.NoticeRefundAuth):
		return r.Status != string(payment.StatusWaitAuth)
	case string(payment.NoticeReceived):
		return payment.Resting(payment.Status(r.Status))
	}
	return false
}

// Settle records what became of a notice.
func (q outbox) Settle(ctx context.Context, id string, r notify.Result) error {
	now := stamp(collections.Now(q.app))
	set := dbx.Params{
		"state": string(r.State), "tries": r.Tries, "next_at": stamp(r.NextAt), "provider_id": clip(r.ProviderID, 100),
		"error":   clip(r.Error, 500),
		"updated": now,
	}
	if r.State == notify.StateSent {
		set["sent_at"] = now
	}
	return q.Together(func(tx core.App) error {
		_, err := tx.DB().Update(collections.Notifications, set, dbx.HashExp{"id": id, "state": "queued"}).WithContext(ctx).Execute()
		return err
	})
}

// Requeue makes a notice that was sent or has failed due again.
func (s *Store) Requeue(ctx context.Context, institution, id string) error {
	res, err := s.app.NonconcurrentDB().Update(collections.Notifications, dbx.Params{"state": "queued", "tries": 0, "next_at": stamp(s.now()),
		"error": "", "updated": stamp(s.now())},
		dbx.And(dbx.HashExp{"id": id, "institution": institution}, dbx.NewExp("state IN ('failed', 'sent') AND via != 'in_app'"))).
		WithContext(ctx).Execute()
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n != 1 {
		return flow.ErrNotFound
	}
	return nil
}

// Phone opens the number to which a patient's short messages go: the one given
// with the order, else the patient's own.
func (s *Store) Phone(ctx context.Context, order, patient string) (string, error) {
	var sealed string
	db := s.app.ConcurrentDB()
	err := db.Select("notify_phone_sealed").From(collections.RefundOrders).Where(dbx.HashExp{"id": order}).WithContext(ctx).Row(&sealed)
	if err == nil && sealed != "" {
		return s.vault.Open(vault.Place(collections.RefundOrders, "notify_phone", order), sealed)
	}
	if err := db.Select("phone_sealed").From(collections.Patients).Where(dbx.HashExp{"id": patient}).WithContext(ctx).
		Row(&sealed); err != nil {
		return "", err
	}
	return s.vault.Open(vault.Place(collections.Patients, "phone", patient), sealed)
}

// SMSConfig is an institution's SMS gateway as IT has entered it.
type SMSConfig struct {
	URL      string
	Settings json.RawMessage
	Secrets  map[string]string
	Updated  string
}

// SMS returns the institution's gateway and whether there is one that is on.
func (s *Store) SMS(ctx context.Context, institution string) (SMSConfig, bool, error) {
	var r configRow
	err := s.app.ConcurrentDB().NewQuery("SELECT id, url AS base, settings, secrets_sealed, updated FROM sms_configs WHERE institution = " +
		"{:i} AND active = TRUE").
		Bind(dbx.Params{"i": institution}).WithContext(ctx).One(&r)
	if errors.Is(err, sql.ErrNoRows) {
		return SMSConfig{}, false, nil
	}
	if err != nil {
		return SMSConfig{}, false, err
	}
	secrets, err := s.secrets(collections.SMSConfigs, r)
	return SMSConfig{URL: r.Base, Settings: json.RawMessage(r.Settings), Secrets: secrets, Updated: r.Updated}, true, err
}

// FinanceMail lists the addresses of the institution's finance staff.
func (s *Store) FinanceMail(institution string) ([]string, error) {
	recs, err := s.app.FindRecordsByFilter(collections.Staff, `institution = {:i} && active = true && roles ~ "finance"`, "email", 50, 0,
		dbx.Params{"i": institution})
	if err != nil {
		return nil, err
	}
	var out []string
	for _, r := range recs {
		out = append(out, r.Email())
	}
	return out, nil
}
