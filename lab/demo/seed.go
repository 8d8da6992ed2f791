// Package demo prepares a data folder for demonstrations, training and tests:
// one institution, its staff, and connections that point at the simulators. It
// knows the simulators only as a hospital knows the other side: by what they
// hand out at /_sim/config.
package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"hospay/collections"
	"hospay/his/samples"
	"hospay/internal/idno"
	"hospay/people"
	"hospay/refund"

	"github.com/pocketbase/pocketbase/core"
)

// The demo accounts of the contract.
const (
	Password        = "Demo-hospay-2026"
	Superuser       = "it@demo.hospay"
	InstitutionCode = "demo"
)

// Endpoints are the simulators' addresses.
type Endpoints struct{ WeChat, Alipay, HIS, Centre, Portal, SMS string }

// At returns the endpoints of a base port. Their order is that of the
// simulators' table, which a test compares with it.
func At(host string, base int) Endpoints {
	u := func(n int) string { return fmt.Sprintf("http://%s:%d", host, base+n) }
	return Endpoints{WeChat: u(0), Alipay: u(1), HIS: u(2), Centre: u(3), Portal: u(4), SMS: u(5)}
}

// Settings choose how the demo institution works.
type Settings struct {
	PublicURL string // where channels reach the program
	HISKind   string // rest (default), soap-utf8, soap-gbk
	DebitAt   refund.DebitAt
	Review    refund.ReviewSettings
	DayLimit  int
}

// Seed creates or refreshes the demo's records. The app's hooks must be bound,
// so that keys are sealed as they are in the dashboard.
func Seed(ctx context.Context, app core.App, at Endpoints, s Settings) (string, error) {
	inst, err := seedInstitution(ctx, app, at, s)
	if err != nil {
		return "", err
	}
	for _, step := range []func() error{
		func() error { return seedWeChat(ctx, app, inst, at, s) },
		func() error { return seedAlipay(ctx, app, inst, at, s) },
		func() error { return seedHIS(ctx, app, inst, at, s) },
		func() error { return seedCentre(ctx, app, inst, at, s) },
		func() error { return seedReview(app, inst, s) },
		func() error { return seedTexts(app, inst) },
		func() error { return seedSMS(ctx, app, inst, at) },
		func() error { return seedStaff(app, inst) },
		func() error { return seedKiosk(app, inst, at) },
		func() error { return seedSuperuser(app) },
		func() error { return raiseLimits(app) },
	} {
		if err := step(); err != nil {
			return inst, err
		}
	}
	return inst, nil
}

// upsert saves the record that the filter finds, or a new one.
func upsert(app core.App, collection, filter string, params, values map[string]any) (*core.Record, error) {
	rec, err := app.FindFirstRecordByFilter(collection, filter, params)
	if err != nil {
		c, err := app.FindCachedCollectionByNameOrId(collection)
		if err != nil {
			return nil, err
		}
		rec = core.NewRecord(c)
	}
	rec.Load(values)
	if err := app.Save(rec); err != nil {
		return nil, fmt.Errorf("%s: %w", collection, err)
	}
	return rec, nil
}

func ofInstitution(inst string) (string, map[string]any) {
	return "institution = {:i}", map[string]any{"i": inst}
}

func seedInstitution(ctx context.Context, app core.App, at Endpoints, s Settings) (string, error) {
	var portal struct {
		Secret string `json:"secret"`
	}
	if err := get(ctx, at.Portal+"/_sim/config", &portal); err != nil {
		return "", err
	}
	var vendor struct {
		Key    string `json:"vendor_key"`
		SN     string `json:"vendor_sn"`
		Token  string `json:"vendor_token"`
		Public string `json:"vendor_public"`
	}
	if err := get(ctx, at.HIS+"/_sim/config", &vendor); err != nil {
		return "", err
	}
	debitAt := s.DebitAt
	if debitAt == "" {
		debitAt = refund.DebitAtApplication
	}
	rec, err := upsert(app, collections.Institutions, "code = {:c}", map[string]any{"c": InstitutionCode}, map[string]any{
		"code": InstitutionCode, "name": "演示医院", "active": true, "debit_at": string(debitAt), "methods": []string{"original", "transfer"},
		"payouts_frozen": false, "day_limit": s.DayLimit, "min_amount": 10, "proxy_on": true, "proxy_payee": "agent", "proxy_days": 30,
		"proxy_photo_days": 30, "refund_alone": RefundAlone, "service_phone": ServicePhone, "transfer_choice": true, "self_entry": true,
		"secrets_input": object(map[string]string{"portal_secret": portal.Secret, "his_key": vendor.Key, "his_sm_sn": vendor.SN,
			"his_sm_token": vendor.Token, "his_sm_public": vendor.Public}),
	})
	if err != nil {
		return "", err
	}
	return rec.Id, nil
}

func seedWeChat(ctx context.Context, app core.App, inst string, at Endpoints, s Settings) error {
	var c struct {
		MchID         string `json:"mch_id"`
		AppID         string `json:"app_id"`
		AppSecret     string `json:"app_secret"`
		MiniAppID     string `json:"mini_app_id"`
		MiniAppSecret string `json:"mini_app_secret"`
		APIv3Key      string `json:"api_v3_key"`
		MchPrivateKey string `json:"mch_private_key"`
		MchCertSerial string `json:"mch_cert_serial"`
		PublicKey     string `json:"public_key"`
		PublicKeyID   string `json:"public_key_id"`
		PlatformCert  string `json:"platform_cert"`
		SingleLimit   int64  `json:"single_limit"`
		MedIns        struct {
			Channel       string `json:"channel"`
			OrgCert       string `json:"org_chnl_crtf_codg"`
			City          string `json:"city_id"`
			PartnerID     string `json:"partner_id"`
			PartnerSecret string `json:"partner_secret"`
		} `json:"medins"`
	}
	if err := get(ctx, at.WeChat+"/_sim/config", &c); err != nil {
		return err
	}
	_, err := upsert(app, collections.ChannelConfigs, `institution = {:i} && channel = "wechat"`, map[string]any{"i": inst}, map[string]any{
		"institution": inst, "channel": "wechat", "active": true, "merchant_id": c.MchID, "app_id": c.AppID, "api_base": at.WeChat,
		"notify_base": s.PublicURL,
		"settings": map[string]any{"single_limit": c.SingleLimit, "day_limit": 10_000_000, "mini_appid": c.MiniAppID,
			"cashier_url":    at.WeChat + "/_sim/pay-page?no={no}&back={back}",
			"confirm_url":    at.WeChat + "/_sim/confirm-page?package={package}&back={back}",
			"medins_channel": c.MedIns.Channel, "medins_org_cert": c.MedIns.OrgCert, "medins_city": c.MedIns.City,
			"medins_partner_id": c.MedIns.PartnerID},
		"secrets_input": object(map[string]string{
			"private_key": c.MchPrivateKey, "serial_no": c.MchCertSerial, "api_v3_key": c.APIv3Key, "public_key": c.PublicKey,
			"public_key_id": c.PublicKeyID, "platform_certs": c.PlatformCert, "app_secret": c.AppSecret,
			"mini_secret":           c.MiniAppSecret,
			"medins_partner_secret": c.MedIns.PartnerSecret,
		}),
	})
	return err
}

func seedAlipay(ctx context.Context, app core.App, inst string, at Endpoints, s Settings) error {
	var c struct {
		AppID          string `json:"app_id"`
		PID            string `json:"pid"`
		AppPrivateKey  string `json:"app_private_key"`
		AppCert        string `json:"app_cert"`
		AlipayCert     string `json:"alipay_cert"`
		AlipayRootCert string `json:"alipay_root_cert"`
		SingleLimit    int64  `json:"single_limit"`
		MedIns         struct {
			OrgCert string `json:"org_chnl_crtf_code"`
			City    string `json:"city_code"`
		} `json:"medins"`
	}
	if err := get(ctx, at.Alipay+"/_sim/config", &c); err != nil {
		return err
	}
	words, err := medicalWords(ctx, at)
	if err != nil {
		return err
	}
	rec, err := upsert(app, collections.ChannelConfigs, `institution = {:i} && channel = "alipay"`, map[string]any{"i": inst}, map[string]any{
		"institution": inst, "channel": "alipay", "active": true, "merchant_id": c.PID, "app_id": c.AppID, "api_base": at.Alipay,
		"notify_base": s.PublicURL,
		"settings": map[string]any{"single_limit": c.SingleLimit, "day_limit": 20_000_000, "message_page": "pages/web/index?url={url}",
			"cashier_url":     at.Alipay + "/_sim/pay-page?no={no}&back={back}",
			"medins_org_cert": c.MedIns.OrgCert, "medins_city": c.MedIns.City, "medins_words": object(words)},
		"secrets_input": object(map[string]string{
			"private_key": c.AppPrivateKey, "app_cert": c.AppCert, "alipay_cert": c.AlipayCert, "alipay_root_cert": c.AlipayRootCert,
		}),
	})
	if err != nil || s.PublicURL == "" {
		return err
	}
	// The address of transfer messages is entered at Alipay's own site.
	return post(ctx, at.Alipay+"/_sim/settings", map[string]any{"gateway_url": s.PublicURL + "/api/hospay/notify/alipay/" +
		rec.GetString("institution")})
}

// medicalWords are what Alipay's words of an order with insurance mean, as a
// hospital is told when it joins: none of them is published.
func medicalWords(ctx context.Context, at Endpoints) (map[string]string, error) {
	var told struct {
		Words map[string]string `json:"medical_words"`
	}
	if err := get(ctx, at.Alipay+"/_sim/settings", &told); err != nil {
		return nil, err
	}
	out := map[string]string{}
	for state, meaning := range map[string]string{"CREATED": "open", "SUCCESS": "paid", "FAIL": "failed", "REFUND": "refunded"} {
		if word := told.Words[state]; word != "" {
			out[word] = meaning
		}
	}
	return out, nil
}

func seedHIS(ctx context.Context, app core.App, inst string, at Endpoints, s Settings) error {
	var c struct {
		RESTKey      string `json:"rest_key"`
		RESTSecret   string `json:"rest_secret"`
		SOAPUser     string `json:"soap_user"`
		SOAPPassword string `json:"soap_password"`
	}
	if err := get(ctx, at.HIS+"/_sim/config", &c); err != nil {
		return err
	}
	kind := s.HISKind
	if kind == "" {
		kind = "rest"
	}
	mapping, adapter, err := samples.Mapping(kind)
	if err != nil {
		return err
	}
	filter, params := ofInstitution(inst)
	_, err = upsert(app, collections.HISConfigs, filter, params, map[string]any{
		"institution": inst, "kind": adapter, "active": true, "base_url": at.HIS, "mapping": mapping, "timeout_ms": 5000,
		"queryable": true, "idempotent": true, "reversible": true,
		"secrets_input": object(map[string]string{"key": c.RESTKey, "sign_key": c.RESTSecret, "user": c.SOAPUser, "password": c.SOAPPassword}),
	})
	return err
}

// seedCentre connects the insurance centre. The simulator's refusals for want of
// a credential are listed, as a centre would have told them.
func seedCentre(ctx context.Context, app core.App, inst string, at Endpoints, s Settings) error {
	var c struct {
		AppID       string            `json:"app_id"`
		AppSecret   string            `json:"app_secret"`
		OrgCode     string            `json:"org_code"`
		PrivateKey  string            `json:"private_key"`
		PlatformKey string            `json:"platform_key"`
		Codes       map[string]string `json:"codes"`
	}
	if err := get(ctx, at.Centre+"/_sim/config", &c); err != nil {
		return err
	}
	filter, params := ofInstitution(inst)
	_, err := upsert(app, collections.CentreConfigs, filter, params, map[string]any{
		"institution": inst, "active": true, "org_code": c.OrgCode, "org_name": "演示医院", "app_id": c.AppID, "base_url": at.Centre,
		"timeout_ms": 5000, "region": `{"base":"guangzhou","areas":[],"after_refused_write":"his","paths":` + bookPaths + `}`,
		"secrets_input": object(map[string]string{"app_secret": c.AppSecret, "private_key": c.PrivateKey, "platform_key": c.PlatformKey}),
	})
	if err != nil || s.PublicURL == "" {
		return err
	}
	// The address of its notices (6302) is told to the centre when one joins it.
	return post(ctx, at.Centre+"/_sim/settings", map[string]any{"notice_url": s.PublicURL + "/api/hospay/notify/medins/" + inst})
}

func seedReview(app core.App, inst string, s Settings) error {
	rules := s.Review.Rules
	if rules == nil {
		rules = refund.DefaultRules()
	}
	filter, params := ofInstitution(inst)
	_, err := upsert(app, collections.ReviewSettings, filter, params, map[string]any{
		"institution": inst, "auto": s.Review.Auto, "shadow": s.Review.Shadow, "delay_seconds": int(s.Review.Delay.Seconds()),
		"window_from": s.Review.From, "window_to": s.Review.To, "rules": rules,
		"second_from": int64(s.Review.SecondFrom), "second_proxy": s.Review.SecondProxy,
	})
	return err
}

func seedStaff(app core.App, inst string) error {
	for i, p := range []struct{ account, name, role string }{
		{"reviewer1", "审核员一", people.RoleReviewer}, {"reviewer2", "审核员二", people.RoleReviewer}, {"finance", "财务员", people.RoleFinance},
		{"cashier", "收费员", people.RoleCashier}, {"auditor", "审计员", people.RoleAuditor}, {"config", "配置员", people.RoleConfig},
	} {
		email := p.account + "@demo.hospay"
		if rec, err := app.FindAuthRecordByEmail(collections.Staff, email); err == nil {
			if rec.GetString("person_index") != "" {
				continue // hashing a password takes its time
			}
		}
		_, err := upsert(app, collections.Staff, "email = {:e}", map[string]any{"e": email}, map[string]any{
			"institution": inst, "email": email, "password": Password, "name": p.name, "roles": []string{p.role}, "active": true, "verified": true,
			"id_no_input": staffIDNo(i),
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// staffIDNo is the number of a demo person: each account has its own, and no
// patient has one of them.
func staffIDNo(i int) string {
	first17 := fmt.Sprintf("11010519800101%03d", 901+i)
	return first17 + idno.Checksum(first17)
}

func seedSuperuser(app core.App) error {
	if _, err := app.FindAuthRecordByEmail(core.CollectionNameSuperusers, Superuser); err == nil {
		return nil
	}
	_, err := upsert(app, core.CollectionNameSuperusers, "email = {:e}", map[string]any{"e": Superuser},
		map[string]any{"email": Superuser, "password": Password})
	return err
}

// raiseLimits lets load and fault runs through that production would slow
// down.
func raiseLimits(app core.App) error {
	s := app.Settings()
	for i := range s.RateLimits.Rules {
		s.RateLimits.Rules[i].MaxRequests = 100_000
		s.RateLimits.Rules[i].Duration = 1
	}
	return app.Save(s)
}

func object(m map[string]string) string {
	b, err := json.Marshal(m)
	if err != nil {
		return "{}"
	}
	return string(b)
}

var client = &http.Client{Timeout: 10 * time.Second}

func get(ctx context.Context, url string, into any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	return do(req, into)
}

func post(ctx context.Context, url string, body any) error { return ask(ctx, url, body, nil) }

func ask(ctx context.Context, url string, body, into any) error {
	b, err := json.Marshal(body)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(string(b)))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	return do(req, into)
}

func do(req *http.Request, into any) error {
	res, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("模拟器没有应答：%w", err)
	}
	defer res.Body.Close()
	data, err := io.ReadAll(io.LimitReader(res.Body, 64<<20))
	if err != nil {
		return err
	}
	if res.StatusCode/100 != 2 {
		return fmt.Errorf("模拟器应答 %d：%s", res.StatusCode, data)
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(data, into)
}
