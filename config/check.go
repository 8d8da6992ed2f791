package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"hospay/calendar"
	"hospay/collections"
	"hospay/flow"
	"hospay/internal/foreign"
	"hospay/internal/idno"
	"hospay/internal/voucher"
	"hospay/notify"
	"hospay/notify/robot"
	"hospay/notify/sms"
	"hospay/people"
	"hospay/store"

	"github.com/pocketbase/pocketbase/core"
)

// dialled is a number that a phone can call, with an extension that people say.
var dialled = regexp.MustCompile(`^\+?[0-9][0-9 -]{2,20}( ?转 ?[0-9]{1,6})?$`)

func checkInstitution(_ *Service, app core.App, d *draft) error {
	if len(d.rec.GetStringSlice("methods")) == 0 {
		return errors.New("至少开通一种退款方式")
	}
	for kind, name := range map[string]string{"registration": "挂号", "outpatient": "门诊"} {
		if len(d.rec.GetStringSlice("pay_off_"+kind)) > 0 && strings.TrimSpace(d.rec.GetString("pay_why_"+kind)) == "" {
			return errors.New(name + "停用了支付方式，请写明原因，患者会看到")
		}
		if d.rec.GetBool("refund_off_"+kind) && strings.TrimSpace(d.rec.GetString("refund_why_"+kind)) == "" {
			return errors.New(name + "停用了线上退费，请写明到哪里退，患者会看到")
		}
	}
	if phone := d.rec.GetString("service_phone"); phone != "" && !dialled.MatchString(phone) {
		return errors.New("服务电话只写号码，可带区号、短横和“转”分机，如 0571-12345678 转 8001")
	}
	for via, name := range map[string]string{notify.ViaWeCom: store.RobotWeCom, notify.ViaDingTalk: store.RobotDingTalk} {
		if address := d.given[name]; address != "" {
			if _, err := robot.New(via, address, "", nil); err != nil {
				return err
			}
		}
	}
	if layout := d.rec.GetString("voucher_layout"); layout != "" && layout != "null" && layout != `""` {
		if _, err := voucher.Parse([]byte(layout)); err != nil {
			return err
		}
	}
	if _, err := foreign.ReadWords(d.rec.GetString("recon_words")); err != nil {
		return fmt.Errorf("对账词表%w", err)
	}
	return valid(app, d)
}

// checkChannel builds the channel as it would be used.
func checkChannel(s *Service, app core.App, d *draft) error {
	if err := s.addresses(d.rec); err != nil {
		return err
	}
	if !strings.HasPrefix(d.rec.GetString("notify_base"), "http") {
		return errors.New("回调地址应为 http(s) 地址")
	}
	if _, err := s.Store.TryChannel(d.rec, d.secrets); err != nil {
		return err
	}
	return valid(app, d)
}

// checkHIS lets the engine check the mapping.
func checkHIS(s *Service, app core.App, d *draft) error {
	if err := s.addresses(d.rec); err != nil {
		return err
	}
	if _, _, err := s.Store.TryHIS(d.rec, d.secrets, nil); err != nil {
		return err
	}
	return valid(app, d)
}

// checkCentre reads the region and builds the client as it would be used.
func checkCentre(s *Service, app core.App, d *draft) error {
	if err := s.addresses(d.rec); err != nil {
		return err
	}
	if _, err := s.Store.TryCentre(d.rec, d.secrets); err != nil {
		return err
	}
	return valid(app, d)
}

// checkKiosk: readers stand on the kiosk itself, and are asked there alone.
func checkKiosk(_ *Service, app core.App, d *draft) error {
	ways, reader := d.rec.GetStringSlice("ways"), d.rec.GetString("reader_url")
	u, err := url.Parse(reader)
	switch idle := d.rec.GetInt("idle_seconds"); {
	case len(ways) == 0:
		return errors.New("至少选择一种证明身份的方式")
	case idle != 0 && (idle < 30 || idle > 300):
		return errors.New("无人操作的时间应为 30 到 300 秒，常用 60 到 90 秒")
	case reader == "" && (slices.Contains(ways, "id_card") || slices.Contains(ways, "social_card")):
		return errors.New("读身份证、社保卡需要填写读卡服务的地址")
	case reader != "" && (err != nil || u.Scheme != "http" || u.Hostname() != "127.0.0.1" || u.Port() == "" || u.User != nil ||
		u.RawQuery != ""):
		return errors.New("读卡服务应在自助机本机，地址形如 http://127.0.0.1:18099")
	}
	return valid(app, d)
}

func checkSMS(s *Service, app core.App, d *draft) error {
	if err := s.addresses(d.rec); err != nil {
		return err
	}
	cfg, err := sms.ParseConfig(d.rec.GetString("url"), json.RawMessage(d.rec.GetString("settings")), d.secrets)
	if err != nil {
		return err
	}
	if _, err := sms.NewGateway(cfg); err != nil {
		return err
	}
	return valid(app, d)
}

// checkReview lets the domain check rules and windows.
func checkReview(_ *Service, app core.App, d *draft) error {
	r, err := store.ReviewOf(d.rec)
	if err != nil {
		return errors.New("规则应为数组，每条有 rule、on_fail 和它的数字；驳回原因应为文字的数组")
	}
	if err := r.Check(); err != nil {
		return err
	}
	return valid(app, d)
}

// checkStaff keeps somebody who can configure, and makes a new account ready.
func checkStaff(s *Service, app core.App, d *draft) error {
	if id, given := d.given["id_no"]; given {
		if strings.TrimSpace(id) == "" {
			return errors.New("身份证号不能清空，只能换成另一个号码；不改就不要填这一项")
		}
		if _, ok := idno.Birth(idno.Normalize(id), collections.Now(app), calendar.Beijing); !ok {
			return errors.New("身份证号不正确，请核对 18 位号码")
		}
		d.rec.Set("person_index", s.Store.PersonIndex(id))
		d.secrets["id_no"] = d.rec.GetString("person_index")
	}
	for _, r := range d.rec.GetStringSlice("roles") {
		if !slices.Contains(people.Roles(), r) {
			return fmt.Errorf("没有名为 %s 的角色", r)
		}
	}
	if _, given := d.values["roles"]; given && people.RolesClash(d.rec.GetStringSlice("roles")) {
		return flow.NewError(CodeRolesClash, "")
	}
	if d.fresh {
		d.rec.Set("active", true)
		d.rec.Set("verified", true)
		d.rec.SetRandomPassword()
		if _, err := app.FindAuthRecordByEmail(collections.Staff, d.rec.Email()); err == nil {
			return errors.New("这个邮箱已有账号")
		}
		return valid(app, d)
	}
	if who := store.MemberOf(d.rec); !who.Holds(who.Institution, people.RoleConfig) {
		return othersConfigure(app, d.rec)
	}
	return valid(app, d)
}

// othersConfigure refuses to take the last active account that configures.
func othersConfigure(app core.App, rec *core.Record) error {
	others, err := app.FindRecordsByFilter(collections.Staff, `institution = {:i} && active = true && roles ~ "config" && id != {:id}`, "", 1,
		0,
		map[string]any{"i": rec.GetString("institution"), "id": rec.Id})
	if err != nil {
		return err
	}
	if len(others) == 0 {
		return flow.NewError(CodeLastConfig, "")
	}
	return nil
}

// valid runs the collection's own checks, but for what saving makes.
func valid(app core.App, d *draft) error {
	if err := app.Validate(d.rec); err != nil {
		return refused(err)
	}
	return nil
}
