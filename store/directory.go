package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"hospay/channels"
	"hospay/collections"
	"hospay/flow"
	"hospay/his"
	"hospay/internal/vault"
	"hospay/money"
	"hospay/refund"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/tools/types"
)

// Institution reads the settings that decide orders.
func (s *Store) Institution(ctx context.Context, id string) (refund.Institution, error) {
	have := recall(&s.cache, &s.cache.institutions, id, s.now())
	if have.fresh() {
		return have.value, nil
	}
	inst, err := s.readInstitution(ctx, id)
	if err != nil {
		return refund.Institution{}, err
	}
	mark, err := collections.CopyOf(s.app.ConcurrentDB())
	if err != nil {
		return refund.Institution{}, err
	}
	inst.Restored = mark != nil
	keep(&s.cache, &s.cache.institutions, id, have, inst, "")
	return inst, nil
}

func (s *Store) readInstitution(ctx context.Context, id string) (refund.Institution, error) {
	var r struct {
		ID        string                  `db:"id"`
		Name      string                  `db:"name"`
		Active    bool                    `db:"active"`
		Frozen    bool                    `db:"payouts_frozen"`
		DebitAt   string                  `db:"debit_at"`
		Methods   types.JSONArray[string] `db:"methods"`
		Choice    bool                    `db:"transfer_choice"`
		SelfEntry bool                    `db:"self_entry"`
		DayLimit  int                     `db:"day_limit"`
		MinAmount int64                   `db:"min_amount"`
		Notice    sql.NullString          `db:"notice"`
		Auto      sql.NullBool            `db:"auto"`
		Shadow    sql.NullBool            `db:"shadow"`
		Delay     sql.NullInt64           `db:"delay_seconds"`
		From      sql.NullString          `db:"window_from"`
		To        sql.NullString          `db:"window_to"`
		Rules     sql.NullString          `db:"rules"`
		Second    sql.NullInt64           `db:"second_from"`
		SecondPrx sql.NullBool            `db:"second_proxy"`
		Reasons   sql.NullString          `db:"reject_reasons"`
		ProxyOn   bool                    `db:"proxy_on"`
		ProxyPay  string                  `db:"proxy_payee"`
		ProxyDays int                     `db:"proxy_days"`
		Consent   sql.NullString          `db:"consent"`
	}
	err := s.app.ConcurrentDB().NewQuery(`SELECT i.id, i.name, i.active, i.payouts_frozen, i.debit_at, i.methods, i.transfer_choice,
		i.self_entry, i.day_limit, i.min_amount,
		i.proxy_on, i.proxy_payee, i.proxy_days, n.version AS notice, c.version AS consent, v.auto, v.shadow,
		v.delay_seconds, v.window_from, v.window_to, v.rules, v.second_from, v.second_proxy, v.reject_reasons
		FROM institutions i LEFT JOIN notices n ON n.institution = i.id AND n.active = TRUE AND n.kind = 'refund'
		LEFT JOIN notices c ON c.institution = i.id AND c.active = TRUE AND c.kind = 'proxy' LEFT JOIN review_settings v ON v.institution = i.id
		WHERE i.id = {:id}`).Bind(dbx.Params{"id": id}).WithContext(ctx).One(&r)
	if errors.Is(err, sql.ErrNoRows) {
		return refund.Institution{}, flow.NewError(flow.CodeInstitutionOff, "no such institution")
	}
	if err != nil {
		return refund.Institution{}, err
	}
	inst := refund.Institution{
		ID: r.ID, Name: r.Name, Active: r.Active, Frozen: r.Frozen || s.tampered.Load(), DebitAt: refund.DebitAt(r.DebitAt),
		DayLimit: r.DayLimit, Choice: r.Choice, SelfEntry: r.SelfEntry,
		MinAmount: money.Fen(r.MinAmount), NoticeNo: r.Notice.String,
		Proxy: refund.ProxySettings{On: r.ProxyOn, Payee: refund.ProxyPayee(r.ProxyPay), Days: orDefault(r.ProxyDays), Consent: r.Consent.String},
		Review: refund.ReviewSettings{
			Auto: r.Auto.Bool, Shadow: r.Shadow.Bool, Delay: seconds(int(r.Delay.Int64)), From: r.From.String, To: r.To.String,
			SecondFrom: money.Fen(r.Second.Int64), SecondProxy: r.SecondPrx.Bool,
		},
	}
	for _, m := range r.Methods {
		inst.Methods = append(inst.Methods, refund.Method(m))
	}
	if err := readReview(&inst.Review, r.Rules.String, r.Reasons.String); err != nil {
		return inst, fmt.Errorf("机构 %s 的审核设置无法读取：%w", r.Name, err)
	}
	return inst, nil
}

func seconds(n int) time.Duration { return time.Duration(n) * time.Second }

// proxyDays counts where an institution has set no days (0).
const proxyDays = 30

func orDefault(days int) int {
	if days <= 0 {
		return proxyDays
	}
	return days
}

// configRow is a row of channel_configs, his_configs or centre_configs.
type configRow struct {
	ID         string        `db:"id"`
	Kind       string        `db:"kind"`
	MerchantID string        `db:"merchant_id"`
	AppID      string        `db:"app_id"`
	Base       string        `db:"base"`
	NotifyBase string        `db:"notify_base"`
	Settings   types.JSONRaw `db:"settings"`
	Sealed     string        `db:"secrets_sealed"`
	Updated    string        `db:"updated"`
	Label      string        `db:"label"` // how the other side knows us
	TimeoutMS  int64         `db:"timeout_ms"`
	Queryable  bool          `db:"queryable"`
	Idempotent bool          `db:"idempotent"`
	Reversible bool          `db:"reversible"`
}

// Channel returns the institution's connection to a channel that is in force,
// also of one that is switched off. What is under way goes through ChannelOf.
func (s *Store) Channel(ctx context.Context, institution, channel string) (refund.Channel, error) {
	return s.Connection(ctx, institution, channel)
}

// Connection is Channel with all the ports that channels have.
func (s *Store) Connection(ctx context.Context, institution, channel string) (channels.Channel, error) {
	key := institution + "/" + channel
	have := recall(&s.cache, &s.cache.channels, key, s.now())
	if have.fresh() {
		return have.value, nil
	}
	r, collection, err := configOf(ctx, s.app.ConcurrentDB(), institution, channel)
	if err != nil {
		return nil, err
	}
	value := have.value
	if !have.known || have.updated != r.Updated {
		if value, err = s.buildChannel(institution, collection, r); err != nil {
			return nil, flow.NewError(flow.CodeChannelBroken, fmt.Sprintf("渠道 %s 的配置有误：%v", channel, err))
		}
	}
	keep(&s.cache, &s.cache.channels, key, have, value, r.Updated)
	return value, nil
}

func (s *Store) buildChannel(institution, collection string, r configRow) (channels.Channel, error) {
	secrets, err := s.secrets(collection, r)
	if err != nil {
		return nil, err
	}
	return s.openChannel(institution, r, secrets)
}

func (s *Store) openChannel(institution string, r configRow, secrets map[string]string) (channels.Channel, error) {
	settings, err := textMap(r.Settings)
	if err != nil {
		return nil, err
	}
	return channels.New(channels.Config{
		Institution: institution, Channel: r.Kind, MerchantID: r.MerchantID, AppID: r.AppID, APIBase: r.Base,
		NotifyURL: notifyURL(r.NotifyBase, r.Kind, institution), Settings: settings, Secrets: secrets, Transport: s.Transport,
	})
}

func notifyURL(base, channel, institution string) string {
	if base == "" {
		return ""
	}
	return strings.TrimRight(base, "/") + "/api/hospay/notify/" + channel + "/" + institution
}

// ChannelOn reports whether a channel takes new orders.
func (s *Store) ChannelOn(ctx context.Context, institution, channel string) (bool, error) {
	key := institution + "/" + channel
	have := recall(&s.cache, &s.cache.on, key, s.now())
	if have.fresh() {
		return have.value, nil
	}
	var n int
	err := s.app.ConcurrentDB().Select("COUNT(*)").From(collections.ChannelConfigs).
		Where(dbx.HashExp{"institution": institution, "channel": channel, "active": true}).WithContext(ctx).Row(&n)
	if err == nil {
		keep(&s.cache, &s.cache.on, key, have, n > 0, "")
	}
	return n > 0, err
}

// Offers lists the institution's channels that are on, with what they can do, as
// OffersOf does.
func (s *Store) Offers(ctx context.Context, institution string) ([]refund.Offer, error) {
	var names []string
	err := s.app.ConcurrentDB().Select("channel").From(collections.ChannelConfigs).
		Where(dbx.HashExp{"institution": institution, "active": true}).OrderBy("channel DESC").WithContext(ctx).Column(&names)
	if err != nil {
		return nil, err
	}
	return s.OffersOf(ctx, institution, names)
}

// OffersOf lists what channels can do, whether they are on or not. One whose
// configuration is broken is left out and named in the error; the others stand.
func (s *Store) OffersOf(ctx context.Context, institution string, names []string) (offers []refund.Offer, broken error) {
	for _, name := range names {
		ch, err := s.Channel(ctx, institution, name)
		if err != nil {
			broken = errors.Join(broken, err)
			continue
		}
		offers = append(offers, refund.Offer{Name: name, Can: ch.Capabilities()})
	}
	return offers, broken
}

// HIS returns the institution's connection to its HIS that is in force.
func (s *Store) HIS(ctx context.Context, institution string) (refund.HIS, refund.HISTraits, error) {
	have := recall(&s.cache, &s.cache.his, institution, s.now())
	if have.fresh() {
		return have.value.his, have.value.traits, nil
	}
	r, collection, err := configOf(ctx, s.app.ConcurrentDB(), institution, connectionHIS)
	if err != nil {
		return nil, refund.HISTraits{}, err
	}
	value := have.value
	if !have.known || have.updated != r.Updated {
		if value, err = s.buildHIS(institution, collection, r); err != nil {
			return nil, refund.HISTraits{}, flow.NewError(flow.CodeHISBroken, fmt.Sprintf("HIS 的配置有误：%v", err))
		}
	}
	keep(&s.cache, &s.cache.his, institution, have, value, r.Updated)
	return value.his, value.traits, nil
}

func (s *Store) buildHIS(institution, collection string, r configRow) (hisConnection, error) {
	secrets, err := s.secrets(collection, r)
	if err != nil {
		return hisConnection{}, err
	}
	return s.openHIS(institution, r, secrets, s.HISTap)
}

func (s *Store) openHIS(institution string, r configRow, secrets map[string]string, tap his.Tap) (hisConnection, error) {
	h, err := his.New(his.Config{
		Institution: institution, Kind: r.Kind, BaseURL: r.Base, Mapping: json.RawMessage(r.Settings), Secrets: secrets,
		Timeout: time.Duration(r.TimeoutMS) * time.Millisecond, Transport: s.Transport, Now: s.now, Tap: tap,
	})
	return hisConnection{his: h, traits: refund.HISTraits{Queryable: r.Queryable, Idempotent: r.Idempotent, Reversible: r.Reversible}}, err
}

func (s *Store) secrets(collection string, r configRow) (map[string]string, error) {
	plain, err := s.vault.Open(vault.Place(collection, "secrets", r.ID), r.Sealed)
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	if plain == "" {
		return out, nil
	}
	return out, json.Unmarshal([]byte(plain), &out)
}

// textMap reads a JSON object whose values are settings; numbers and flags are
// taken as their text.
func textMap(raw types.JSONRaw) (map[string]string, error) {
	out := map[string]string{}
	if len(raw) == 0 || string(raw) == "null" || string(raw) == `""` {
		return out, nil
	}
	var values map[string]json.RawMessage
	if err := json.Unmarshal(raw, &values); err != nil {
		return nil, fmt.Errorf("settings 不是 JSON 对象：%w", err)
	}
	for k, v := range values {
		var text string
		if json.Unmarshal(v, &text) != nil {
			text = string(v)
		}
		out[k] = text
	}
	return out, nil
}

// ClientSetting is a setting of an institution's channel that its pages need: the
// addresses at which a patient does outside the channel's app what else is done
// there (the demo's pages: confirm_url with the place {package}, cashier_url with
// {no}; mostly empty), and login.
func (s *Store) ClientSetting(ctx context.Context, institution, channel, setting string) (string, error) {
	var raw types.JSONRaw
	err := s.app.ConcurrentDB().Select("settings").From(collections.ChannelConfigs).
		Where(dbx.HashExp{"institution": institution, "channel": channel}).WithContext(ctx).Row(&raw)
	if err != nil {
		return "", err
	}
	settings, err := textMap(raw)
	return settings[setting], err
}
