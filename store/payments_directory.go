package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"hospay/centre"
	"hospay/channels"
	"hospay/collections"
	"hospay/flow"
	"hospay/internal/vault"
	"hospay/payment"
	"hospay/refund"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"
)

// Institution reads the settings that decide payments.
func (p *Payments) Institution(ctx context.Context, id string) (payment.Institution, error) {
	i, err := p.s.Institution(ctx, id)
	if err != nil {
		return payment.Institution{}, err
	}
	scenes, err := p.scenes(ctx, id)
	return payment.Institution{ID: i.ID, Name: i.Name, Active: i.Active, Frozen: i.Frozen, Restored: i.Restored, Scenes: scenes}, err
}

// scenes reads how bills of each kind are paid and given back.
func (p *Payments) scenes(ctx context.Context, institution string) (map[payment.Kind]payment.Scene, error) {
	have := recall(&p.s.cache, &p.s.cache.scenes, institution, p.s.now())
	if have.fresh() {
		return have.value, nil
	}
	var rows []struct {
		Kind      string                  `db:"kind"`
		Off       types.JSONArray[string] `db:"off"`
		Why       string                  `db:"why"`
		RefundOff bool                    `db:"refund_off"`
		RefundWhy string                  `db:"refund_why"`
	}
	err := p.s.app.ConcurrentDB().NewQuery(`SELECT 'registration' AS kind, pay_off_registration AS off, pay_why_registration AS why,
		refund_off_registration AS refund_off, refund_why_registration AS refund_why FROM institutions WHERE id = {:id}
		UNION ALL SELECT 'outpatient', pay_off_outpatient, pay_why_outpatient, refund_off_outpatient, refund_why_outpatient
		FROM institutions WHERE id = {:id}`).Bind(dbx.Params{"id": institution}).WithContext(ctx).All(&rows)
	out := map[payment.Kind]payment.Scene{}
	for _, r := range rows {
		out[payment.Kind(r.Kind)] = payment.Scene{Off: r.Off, Why: r.Why, RefundOff: r.RefundOff, RefundWhy: r.RefundWhy}
	}
	if err == nil {
		keep(&p.s.cache, &p.s.cache.scenes, institution, have, out, "")
	}
	return out, err
}

// Channel is the connection to a channel that is on and takes payments.
func (p *Payments) Channel(ctx context.Context, institution, channel string) (payment.Channel, error) {
	on, err := p.s.ChannelOn(ctx, institution, channel)
	if err != nil {
		return payment.Channel{}, err
	}
	if !on {
		return payment.Channel{}, flow.NewError(flow.CodeChannelOff, channel)
	}
	conn, err := p.s.Connection(ctx, institution, channel)
	if err != nil {
		return payment.Channel{}, err
	}
	return payable(conn, channel)
}

// Reached names the connections of a channel that were in force since then.
func (p *Payments) Reached(ctx context.Context, institution, channel string, since time.Time) ([]string, error) {
	return p.s.Reached(ctx, institution, channel, since)
}

// ChannelOf is the connection that a number was sent through.
func (p *Payments) ChannelOf(ctx context.Context, connection string) (payment.Channel, error) {
	conn, err := p.s.ConnectionOf(ctx, connection)
	if err != nil {
		return payment.Channel{}, err
	}
	return payable(conn, "")
}

func payable(conn channels.Channel, name string) (payment.Channel, error) {
	trades, err := channels.As[payment.Trades](conn)
	if err != nil {
		return payment.Channel{}, flow.NewError(flow.CodeChannelOff, name)
	}
	out := payment.Channel{Trades: trades}
	if medins, err := channels.As[payment.MedIns](conn); err == nil {
		out.MedIns = medins
	}
	return out, nil
}

// HIS is the connection to a HIS that is in force, if it knows bills.
func (p *Payments) HIS(ctx context.Context, institution string) (payment.HIS, error) {
	h, _, err := p.s.HIS(ctx, institution)
	if err != nil {
		return nil, err
	}
	return billing(h)
}

// HISOf is the HIS that a number was sent to.
func (p *Payments) HISOf(ctx context.Context, connection string) (payment.HIS, error) {
	h, _, err := p.s.HISOf(ctx, connection)
	if err != nil {
		return nil, err
	}
	return billing(h)
}

func billing(h refund.HIS) (payment.HIS, error) {
	if out, ok := any(h).(payment.HIS); ok {
		return out, nil
	}
	return nil, flow.NewError(flow.CodeHISBroken, "HIS 接口没有缴费的操作")
}

// Centre is the connection to the insurance centre that is in force.
func (p *Payments) Centre(ctx context.Context, institution string) (payment.Centre, error) {
	c, err := p.s.CentreClient(ctx, institution)
	if err != nil {
		return nil, err
	}
	return c, nil
}

// CentreOf is the centre that a number was sent to.
func (p *Payments) CentreOf(ctx context.Context, connection string) (payment.Centre, error) {
	s := p.s
	have := recall(&s.cache, &s.cache.centres, connection, s.now())
	if have.fresh() {
		return have.value, nil
	}
	r, err := s.connectionRow(ctx, connection)
	if err != nil {
		return nil, err
	}
	value := have.value
	if !have.known || have.updated != r.Updated {
		if value, err = s.buildCentre(r.Institution, collections.Connections, r.configRow); err != nil {
			return nil, err
		}
	}
	keep(&s.cache, &s.cache.centres, connection, have, value, r.Updated)
	return value, nil
}

// CentreClient is the institution's client of its insurance centre that is in
// force; CodeInsuranceOff where there is none.
func (s *Store) CentreClient(ctx context.Context, institution string) (*centre.Client, error) {
	key := institution + "/"
	have := recall(&s.cache, &s.cache.centres, key, s.now())
	if have.fresh() {
		return have.value, nil
	}
	r, collection, err := configOf(ctx, s.app.ConcurrentDB(), institution, connectionCentre)
	if err != nil {
		return nil, err
	}
	value := have.value
	if !have.known || have.updated != r.Updated {
		if value, err = s.buildCentre(institution, collection, r); err != nil {
			return nil, err
		}
	}
	keep(&s.cache, &s.cache.centres, key, have, value, r.Updated)
	return value, nil
}

func (s *Store) buildCentre(institution, collection string, r configRow) (*centre.Client, error) {
	secrets, err := s.secrets(collection, r)
	if err != nil {
		return nil, err
	}
	c, err := s.openCentre(institution, r, secrets)
	if err != nil {
		return nil, flow.NewError(payment.CodeCentreBroken, fmt.Sprintf("医保中心（%s）的配置有误：%v", r.Base, err))
	}
	return c, nil
}

// CentreSecrets are the names of the keys of a centre.
func CentreSecrets() []string { return []string{"app_secret", "private_key", "platform_key"} }

func (s *Store) openCentre(_ string, r configRow, secrets map[string]string) (*centre.Client, error) {
	region, err := centre.ReadRegion(json.RawMessage(r.Settings))
	if err != nil {
		return nil, err
	}
	return centre.New(centre.Config{Base: r.Base, Region: region, OrgCode: r.MerchantID, OrgName: r.Label, AppID: r.AppID,
		AppSecret: secrets["app_secret"], PrivateKey: secrets["private_key"], PlatformKey: secrets["platform_key"],
		Timeout: time.Duration(r.TimeoutMS) * time.Millisecond, Transport: s.Transport})
}

// TryCentre builds a centre's client from a record that need not be stored. It
// makes no call.
func (s *Store) TryCentre(rec *core.Record, secrets map[string]string) (*centre.Client, error) {
	return s.openCentre(rec.GetString("institution"), configRow{
		MerchantID: rec.GetString("org_code"), AppID: rec.GetString("app_id"), Base: rec.GetString("base_url"), Label: rec.GetString("org_name"),
		Settings: types.JSONRaw(rec.GetString("region")), TimeoutMS: int64(rec.GetInt("timeout_ms")),
	}, secrets)
}

// Insured is a patient as HIS and insurance know them, if the card is theirs;
// without a card, who they are.
func (p *Payments) Insured(ctx context.Context, patient, cardNo string) (payment.Insured, error) {
	cards, err := p.s.Cards(ctx, patient)
	if err != nil {
		return payment.Insured{}, err
	}
	if cardNo != "" && !slices.ContainsFunc(cards, func(c refund.KnownCard) bool { return c.No == cardNo }) {
		return payment.Insured{}, flow.NewError(flow.CodeCardNotYours, "")
	}
	who, err := p.s.Person(ctx, patient)
	return payment.Insured{PatientNo: who.PatientNo, CardNo: cardNo, IDType: who.IDType, IDNo: who.IDNo, Name: who.Name}, err
}

// KeepCredential keeps what a patient has authorised with, until an order takes
// it.
func (p *Payments) KeepCredential(ctx context.Context, patient, channel string, g payment.Grant) error {
	return p.s.transact(func(tx core.App) error {
		now := stamp(p.s.now())
		var institution string
		if err := tx.DB().Select("institution").From(collections.Patients).Where(dbx.HashExp{"id": patient}).WithContext(ctx).
			Row(&institution); err != nil {
			return err
		}
		sealed, err := p.s.vault.Seal(vault.Person, vault.Place(collections.PaymentCredentials, channel, patient), jsonText(g))
		if err != nil {
			return err
		}
		return put(tx.DB(), collections.PaymentCredentials, dbx.Params{"patient": patient, "channel": channel},
			dbx.Params{"institution": institution}, dbx.Params{"grant_sealed": sealed, "until": stamp(g.Until), "updated": now})
	})
}

// Credential reads what a patient has authorised with; the zero value is none.
func (p *Payments) Credential(ctx context.Context, patient, channel string) (payment.Grant, error) {
	return p.credential(ctx, p.s.app.ConcurrentDB(), patient, channel)
}

func (p *Payments) credential(ctx context.Context, db dbx.Builder, patient, channel string) (g payment.Grant, err error) {
	var sealed string
	err = db.Select("grant_sealed").From(collections.PaymentCredentials).Where(dbx.HashExp{"patient": patient, "channel": channel}).
		WithContext(ctx).Row(&sealed)
	if errors.Is(err, sql.ErrNoRows) || err == nil && sealed == "" {
		return g, nil
	}
	if err != nil {
		return g, err
	}
	plain, err := p.s.vault.Open(vault.Place(collections.PaymentCredentials, channel, patient), sealed)
	if err != nil {
		return g, err
	}
	return g, json.Unmarshal([]byte(plain), &g)
}

// TakeCredential hands a credential over to one order and forgets it.
func (p *Payments) TakeCredential(ctx context.Context, patient, channel string) (g payment.Grant, err error) {
	err = p.s.transact(func(tx core.App) error {
		if g, err = p.credential(ctx, tx.DB(), patient, channel); err != nil || !g.Single() {
			return err
		}
		_, err = tx.DB().Update(collections.PaymentCredentials, dbx.Params{"grant_sealed": "", "until": "", "updated": stamp(p.s.now())},
			dbx.HashExp{"patient": patient, "channel": channel}).Execute()
		return err
	})
	return g, err
}

// ForgetCredentials erases what patients have authorised with and no order has
// taken in time, and returns how many.
func (p *Payments) ForgetCredentials(ctx context.Context) (int, error) {
	res, err := p.s.app.NonconcurrentDB().Update(collections.PaymentCredentials, dbx.Params{"grant_sealed": "", "until": ""},
		dbx.NewExp("grant_sealed != '' AND until < {:now}", dbx.Params{"now": stamp(p.s.now())})).WithContext(ctx).Execute()
	if err != nil {
		return 0, err
	}
	n, err := res.RowsAffected()
	return int(n), err
}

// TestInsurance is a channel that is on and books the insurance in its test system,
// while the cash is real.
type TestInsurance struct {
	Institution string `db:"institution"`
	Name        string `db:"name"`
	Channel     string `db:"channel"`
}

// Words say it to staff and IT.
func (t TestInsurance) Words() string {
	return t.Name + "：渠道 " + t.Channel + " 打开了医保测试环境（medins_test_env），现金是真的而医保记在测试系统，正式运行请由配置人员关闭"
}

// TestInsurances lists them.
func (s *Store) TestInsurances(ctx context.Context) (out []TestInsurance, err error) {
	err = s.app.ConcurrentDB().NewQuery("SELECT c.institution, i.name, c.channel FROM channel_configs c JOIN institutions i ON " +
		"i.id = c.institution WHERE c.active = TRUE AND json_valid(c.settings) AND " +
		"json_extract(c.settings, '$.medins_test_env') IN (1, 'true') ORDER BY i.name, c.channel").WithContext(ctx).All(&out)
	return out, err
}
