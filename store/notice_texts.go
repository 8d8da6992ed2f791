package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"hospay/channels"
	"hospay/collections"
	"hospay/flow"
	"hospay/internal/i18n"
	"hospay/notify"
	"hospay/payment"
	"hospay/refund"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"
)

// noticeText is the institution's wording of an event, or the default one.
type noticeText struct {
	Event    string        `db:"event"`
	Title    string        `db:"title"`
	Body     string        `db:"body"`
	SMS      bool          `db:"sms"`
	Wechat   string        `db:"wechat_template"`
	Alipay   string        `db:"alipay_template"`
	Keywords types.JSONRaw `db:"keywords"`
}

// TextEvents are the events that an institution words, those for patients
// first.
func TextEvents() (patients, staff []flow.NoticeEvent) {
	return []flow.NoticeEvent{
		refund.NoticeSucceeded, refund.NoticeRejected, refund.NoticeFailed, refund.NoticeAwaitingPayee, refund.NoticeReturned,
		refund.NoticePaidByHand, refund.NoticeProxyApproved, refund.NoticeProxyRejected, refund.NoticeEntered,
		payment.NoticeRegistered, payment.NoticePaid,
		payment.NoticeReceived, payment.NoticeNotPaid, payment.NoticeRefundAuth, payment.NoticePartRefunded, payment.NoticeRefunded,
	}, []flow.NoticeEvent{flow.NoticeHold, flow.NoticeSuspense, payment.NoticeHold, payment.NoticeSuspense}
}

// TextPlaces are the places that texts and keywords may use; those after status
// hold something in texts about payments alone. None of them is personal data.
func TextPlaces() []string {
	return []string{"no", "amount", "reason", "channel", "method", "time", "status", "insured", "cash", "guide", "receipt", "link"}
}

// defaultText is the wording that a new institution begins with. Templates of
// the channels are the institution's own.
func defaultText(event flow.NoticeEvent) noticeText {
	key := "notice." + string(event)
	return noticeText{Event: string(event), Title: i18n.Text(i18n.Default, key+".title"), Body: i18n.Text(i18n.Default, key+".body")}
}

// SeedTexts gives an institution the default wording of every event that it
// has none for.
func (s *Store) SeedTexts(tx core.App, institution string) error {
	patients, staff := TextEvents()
	var have []string
	if err := tx.DB().Select("event").From(collections.NotificationTexts).Where(dbx.HashExp{"institution": institution}).
		Column(&have); err != nil {
		return err
	}
	c, err := tx.FindCachedCollectionByNameOrId(collections.NotificationTexts)
	if err != nil {
		return err
	}
	for _, event := range slices.Concat(patients, staff) {
		if slices.Contains(have, string(event)) {
			continue
		}
		text, rec := defaultText(event), core.NewRecord(c)
		rec.Load(map[string]any{"institution": institution, "event": text.Event, "title": text.Title, "body": text.Body,
			"sms": slices.Contains(patients, event)})
		if err := tx.Save(rec); err != nil {
			return err
		}
	}
	return nil
}

// SeedAllTexts is SeedTexts for every institution.
func (s *Store) SeedAllTexts() error {
	var ids []string
	if err := s.app.DB().Select("id").From(collections.Institutions).Column(&ids); err != nil {
		return err
	}
	for _, id := range ids {
		if err := s.app.RunInTransaction(func(tx core.App) error { return s.SeedTexts(tx, id) }); err != nil {
			return err
		}
	}
	return nil
}

func readNoticeText(db dbx.Builder, institution string, event flow.NoticeEvent) (noticeText, error) {
	t := noticeText{}
	err := db.Select("event", "title", "body", "sms", "wechat_template", "alipay_template", "keywords").From(collections.NotificationTexts).
		Where(dbx.HashExp{"institution": institution, "event": string(event)}).One(&t)
	if errors.Is(err, sql.ErrNoRows) { // somebody has deleted it: money does not wait for words
		return defaultText(event), nil
	}
	return t, err
}

// template is what a channel's message service is asked for.
func (t noticeText) template(channel string) string {
	return map[string]string{notify.ViaWechat: t.Wechat, notify.ViaAlipay: t.Alipay}[channel]
}

// Keywords reads an institution's map of template keyword → text, which is one
// for each channel or one for both.
func Keywords(raw []byte, channel string) (map[string]string, error) {
	if len(raw) == 0 || string(raw) == "null" || string(raw) == `""` {
		return nil, nil
	}
	var each map[string]map[string]string
	if json.Unmarshal(raw, &each) == nil {
		return each[channel], nil
	}
	var both map[string]string
	err := json.Unmarshal(raw, &both)
	return both, err
}

// noValue stands where a message service wants a value and there is none.
const noValue = "无"

// values fills the keywords of a channel's template.
func (t noticeText) values(channel string, places map[string]string) map[string]string {
	words, err := Keywords(t.Keywords, channel)
	if err != nil || len(words) == 0 {
		words = map[string]string{}
		for k := range places {
			words[k] = "{" + k + "}"
		}
	}
	out := make(map[string]string, len(words))
	for k, text := range words {
		if out[k] = i18n.Fill(text, pairs(places)...); strings.TrimSpace(out[k]) == "" {
			out[k] = noValue
		}
	}
	return out
}

func pairs(values map[string]string) []string {
	out := make([]string, 0, 2*len(values))
	for k, v := range values {
		out = append(out, k, v)
	}
	return out
}

// linkPart is the clause of a text that holds the link, with what leads to it.
var linkPart = regexp.MustCompile(`[^。！？；;.!?\n]*\{link\}[。！；;]?`)

// alone is a sentence that is nothing but a place.
var alone = regexp.MustCompile(`(^|[。.])( ?)\{(guide|reason|receipt)\}[。.]`)

// words are the text for a way: with the link only where it is one to tap, without
// sentences that would say nothing.
func (t noticeText) words(places map[string]string, link string) string {
	body := t.Body
	if link == "" {
		body = strings.TrimSpace(linkPart.ReplaceAllString(body, ""))
	}
	body = alone.ReplaceAllStringFunc(body, func(s string) string {
		if m := alone.FindStringSubmatch(s); places[m[3]] == "" {
			return m[1]
		}
		return s
	})
	return strings.ReplaceAll(i18n.Fill(body, append(pairs(places), "link", link)...), "。。", "。")
}

// pageOf is the page of the portal that an order's notice is about.
func pageOf(event flow.NoticeEvent, o refund.Order) string {
	switch {
	case o.Compensates != "": // the patient knows the order whose payment came back
		return "/records/" + o.Compensates
	case event == refund.NoticeAwaitingPayee:
		return "/records/" + o.ID + "/confirm"
	}
	return "/records/" + o.ID
}

// address is where an institution's pages are reached from outside, as the
// channel, or any of its channels, reaches the program; with its code.
func address(db dbx.Builder, institution, channel string) (base, code string, err error) {
	var r struct {
		Base string `db:"base"`
		Code string `db:"code"`
	}
	err = db.NewQuery(
		"SELECT i.code, COALESCE(c.notify_base, '') AS base FROM institutions i LEFT JOIN channel_configs c ON c.institution = " +
			"i.id AND c.notify_base != '' WHERE i.id = {:i} ORDER BY c.active DESC, c.channel = {:c} DESC LIMIT 1").
		Bind(dbx.Params{"i": institution, "c": channel}).One(&r)
	return strings.TrimRight(r.Base, "/"), r.Code, err
}

// link is the address of a page of the portal; empty without one.
func link(db dbx.Builder, institution, channel, page string) (string, error) {
	base, code, err := address(db, institution, channel)
	if err != nil || base == "" || page == "" {
		return "", err
	}
	return base + "/?inst=" + url.QueryEscape(code) + "#" + page, nil
}

// PageAddress is the address of a page of the portal, as a channel brings people
// back to it; empty where the program is not reached from outside.
func (s *Store) PageAddress(institution, channel, page string) (string, error) {
	return link(s.app.ConcurrentDB(), institution, channel, page)
}

// ShortPath begins the short address of a notice.
const ShortPath = "/m/"

// shortLink is the address of a notice for a short message.
func shortLink(db dbx.Builder, institution, channel, notice string) (string, error) {
	base, _, err := address(db, institution, channel)
	if err != nil || base == "" {
		return "", err
	}
	return base + ShortPath + notice, nil
}

// PageOfNotice is the page that a short address stands for, on this host.
func (s *Store) PageOfNotice(ctx context.Context, id string) (string, error) {
	var r struct {
		Page string `db:"page"`
		Code string `db:"code"`
	}
	err := s.app.ConcurrentDB().NewQuery("SELECT n.page, i.code FROM notifications n JOIN institutions i ON i.id = n.institution WHERE " +
		"n.id = {:id} AND n.page != ''").Bind(dbx.Params{"id": id}).WithContext(ctx).One(&r)
	if errors.Is(err, sql.ErrNoRows) {
		return "", flow.ErrNotFound
	}
	return "/?inst=" + url.QueryEscape(r.Code) + "#" + r.Page, err
}

// NoticeFaults tells, per event, what keeps an institution's notices from
// patients: no text, a way that is not set up, or no way at all. can tells
// whether a way is set up.
func (s *Store) NoticeFaults(institution string, can func(via string) error) (map[flow.NoticeEvent]error, error) {
	var texts []noticeText
	err := s.app.ConcurrentDB().Select("event", "title", "body", "sms", "wechat_template", "alipay_template", "keywords").
		From(collections.NotificationTexts).Where(dbx.HashExp{"institution": institution}).All(&texts)
	if err != nil {
		return nil, err
	}
	patients, staff := TextEvents()
	out := map[flow.NoticeEvent]error{}
	for _, event := range slices.Concat(patients, staff) {
		at := slices.IndexFunc(texts, func(t noticeText) bool { return t.Event == string(event) })
		switch {
		case at < 0 || strings.TrimSpace(texts[at].Title) == "" || strings.TrimSpace(texts[at].Body) == "":
			out[event] = errors.New("没有文案，请在系统配置 → 通知文案中填写")
		case slices.Contains(patients, event):
			out[event] = texts[at].reach(can)
		default:
			out[event] = nil
		}
	}
	return out, nil
}

// reach checks the ways of a text for patients.
func (t noticeText) reach(can func(via string) error) error {
	ways, errs := 0, []error{}
	for _, channel := range []string{notify.ViaWechat, notify.ViaAlipay} {
		if t.template(channel) == "" {
			continue
		}
		ways++
		if words, err := Keywords(t.Keywords, channel); err != nil || len(words) == 0 {
			errs = append(errs, fmt.Errorf("%s模板没有关键词", i18n.Text(i18n.Default, "channel."+channel)))
		}
		errs = append(errs, can(channel))
	}
	if t.SMS {
		ways++
		errs = append(errs, can(notify.ViaSMS))
	}
	if ways == 0 {
		return errors.New("没有发送方式：既不发短信，也没有微信或支付宝模板")
	}
	return errors.Join(errs...)
}

// CanSend tells whether a way of notices is set up: the channel's message
// service, with a page that messages open, or the SMS gateway.
func (s *Store) CanSend(ctx context.Context, institution, via string) error {
	if via == notify.ViaSMS {
		if _, on, err := s.SMS(ctx, institution); err != nil || !on {
			return errors.Join(errors.New("短信网关没有配置或没有启用"), err)
		}
		return nil
	}
	name := i18n.Text(i18n.Default, "channel."+via)
	on, err := s.ChannelOn(ctx, institution, via)
	if err != nil {
		return err
	}
	if !on {
		return fmt.Errorf("有%s模板，但%s没有启用", name, name)
	}
	conn, err := s.Connection(ctx, institution, via)
	if err != nil {
		return err
	}
	m, err := channels.As[channels.Messenger](conn)
	if err != nil {
		return fmt.Errorf("%s不能发消息", name)
	}
	return m.CanMessage()
}
