package e2e

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"hospay/collections"
	"hospay/flow"
	"hospay/internal/testday"
	"hospay/lab/demo"
	"hospay/lab/testapp"
	"hospay/sim/all"
)

// machine is a machine on which nothing is installed but the program, and the
// other sides.
type machine struct {
	*testing.T
	dir, bin, settings, http string
	at                       demo.Endpoints
	sims                     *all.Set
	answers                  map[string]string
}

func newMachine(t *testing.T) *machine {
	t.Helper()
	m := &machine{T: t, dir: t.TempDir(), answers: map[string]string{}}
	m.bin, m.settings = filepath.Join(m.dir, "hospay"), filepath.Join(m.dir, "etc", "hospay.env")
	if out, err := exec.Command("go", "build", "-o", m.bin, "hospay").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	m.sims = must(all.Start(t.Context(), all.Options{Seed: 1, Patients: 20, Ahead: testday.Ahead()}))
	t.Cleanup(func() { _ = m.sims.Close() })
	m.at = demo.Endpoints{WeChat: m.sims.WeChat.URL(), Alipay: m.sims.Alipay.URL(), HIS: m.sims.HIS.URL(), Portal: m.sims.Portal.URL(),
		SMS: m.sims.SMS.URL()}
	l := must(net.Listen("tcp", "127.0.0.1:0"))
	m.http = l.Addr().String()
	l.Close()
	return m
}

// told is what a simulator hands out, as the other side would.
func (m *machine) told(url string) map[string]any {
	m.Helper()
	res := must(http.Get(url + "/_sim/config"))
	defer res.Body.Close()
	out := map[string]any{}
	if err := json.NewDecoder(res.Body).Decode(&out); err != nil {
		m.Fatal(err)
	}
	return out
}

// file writes what somebody was sent as a file, and answers with it.
func (m *machine) file(key string, text any) {
	m.Helper()
	path := filepath.Join(m.dir, strings.ReplaceAll(key, ".", "_"))
	if err := os.WriteFile(path, []byte(fmt.Sprint(text)), 0o600); err != nil {
		m.Fatal(err)
	}
	m.answers[key] = "@" + path
}

// prepare gathers what a hospital has at hand when it begins.
func (m *machine) prepare() {
	m.Helper()
	maps.Copy(m.answers, map[string]string{
		"place.env": "demo", "place.dir": filepath.Join(m.dir, "data"), "place.http": m.http, "place.admin": "127.0.0.1:0", "place.proxy": "none",
		"superuser.email": "it@example-hospital.cn", "institution.name": "第一人民医院", "institution.code": "first",
		"institution.portal_secret": fmt.Sprint(m.told(m.at.Portal)["secret"]), "institution.second_factor": "off",
		"staff.config.email": "a@example-hospital.cn", "staff.config.name": "欧阳·娜仁", "staff.config.id_no": "110105198001019512",
		"staff.finance.email": "b@example-hospital.cn", "staff.finance.name": "Maria Sánchez", "staff.finance.id_no": "110105198001019520",
		"staff.reviewer1.email": "c@example-hospital.cn", "staff.reviewer1.name": "司徒雪", "staff.reviewer1.id_no": "110105198001019539",
	})
	set := must(http.Post(m.at.Portal+"/_sim/settings", "application/json", strings.NewReader(`{"institution":"first"}`)))
	set.Body.Close()
	w := m.told(m.at.WeChat)
	maps.Copy(m.answers, map[string]string{"wechat.use": "y", "wechat.merchant_id": fmt.Sprint(w["mch_id"]),
		"wechat.app_id":      fmt.Sprint(w["app_id"]),
		"wechat.notify_base": "http://" + m.http, "wechat.api_base": m.at.WeChat, "wechat.serial_no": fmt.Sprint(w["mch_cert_serial"]),
		"wechat.api_v3_key": fmt.Sprint(w["api_v3_key"]), "wechat.public_key_id": fmt.Sprint(w["public_key_id"]),
		"wechat.app_secret": fmt.Sprint(w["app_secret"])})
	m.file("wechat.private_key", w["mch_private_key"])
	m.file("wechat.public_key", w["public_key"])
	proof := filepath.Join(m.dir, "MP_verify_Xy12.txt")
	if err := os.WriteFile(proof, []byte("Xy12"), 0o600); err != nil {
		m.Fatal(err)
	}
	m.answers["wechat.verify_file"] = proof
	p := m.told(m.at.Alipay)
	maps.Copy(m.answers, map[string]string{"alipay.use": "y", "alipay.merchant_id": fmt.Sprint(p["pid"]),
		"alipay.app_id":      fmt.Sprint(p["app_id"]),
		"alipay.notify_base": "http://" + m.http, "alipay.api_base": m.at.Alipay})
	m.file("alipay.private_key", p["app_private_key"])
	for _, name := range []string{"app_cert", "alipay_cert", "alipay_root_cert"} {
		m.file("alipay."+name, p[name])
	}
	h, s := m.told(m.at.HIS), m.told(m.at.SMS)
	var test struct {
		IDNo string `json:"id_no"`
		Name string `json:"name"`
	}
	res := must(http.Get(m.at.Portal + "/_sim/ticket?patient=P0007&via=alipay"))
	defer res.Body.Close()
	if err := json.NewDecoder(res.Body).Decode(&test); err != nil {
		m.Fatal(err)
	}
	maps.Copy(m.answers, map[string]string{"his.use": "y", "his.sample": "soap-gbk", "his.base_url": m.at.HIS,
		"his.user":     fmt.Sprint(h["soap_user"]),
		"his.password": fmt.Sprint(h["soap_password"]), "his.test_patient": "P0007", "his.test_id_no": test.IDNo, "his.test_name": test.Name,
		"his.test_amount": "1.00", "sms.url": fmt.Sprint(s["form_url"])})
	m.file("sms.settings", `{"body":"account={secret.user}&mobile={phone}&content=【第一人民医院】{text}&ts={time}&id={id}&sign={sign.md5}",
		"sign":"{secret.user}{secret.password}{time}","charset":"gbk","quiet_from":"00:00","quiet_to":"00:00",
		"success":{"path":"code","values":["0"],"refused":["12","13","14","15"],"id":"msgid"}}`)
	m.file("sms.secrets", fmt.Sprintf(`{"user":%q,"password":%q}`, s["account"], s["password"]))
}

// run runs the program as it is run on a new machine: with nothing in the
// environment but where the settings are.
func (m *machine) run(in io.Reader, args ...string) (string, error) {
	m.Helper()
	c := exec.Command(m.bin, args...)
	c.Dir, c.Stdin = m.dir, in
	c.Env = m.environment()
	out, err := c.CombinedOutput()
	return string(out), err
}

func (m *machine) environment() []string {
	var out []string
	for _, e := range os.Environ() {
		if !strings.HasPrefix(e, "HOSPAY_") || strings.HasPrefix(e, "HOSPAY_TEST_") {
			out = append(out, e)
		}
	}
	return append(out, "HOSPAY_ENV_FILE="+m.settings)
}

func (m *machine) setup(flags ...string) (string, error) {
	m.Helper()
	path := filepath.Join(m.dir, "answers.json")
	if err := os.WriteFile(path, must(json.Marshal(m.answers)), 0o600); err != nil {
		m.Fatal(err)
	}
	return m.run(nil, append([]string{"setup", "--answers", path}, flags...)...)
}

// TestSetup_FromNothingToTheFirstRefund: a new machine, the answers that a
// hospital has, and the first yuan is paid back. It is left in the middle once.
func TestSetup_FromNothingToTheFirstRefund(t *testing.T) {
	m := newMachine(t)
	m.prepare()
	typed := []string{"demo", "relative/path", m.answers["place.dir"], m.http, "", "none", "", "it@example-hospital.cn", "short", ""}
	out, err := m.run(strings.NewReader(strings.Join(typed, "\n")+"\n"), "setup")
	if err == nil || !strings.Contains(out, "应为绝对路径") || !strings.Contains(out, "至少 12 个字符") || !strings.Contains(out, "从没做完的一步继续") {
		t.Fatalf("left in the middle: %v\n%s", err, out)
	}
	for key := range m.answers {
		if strings.HasPrefix(key, "place.") || strings.HasPrefix(key, "superuser.") {
			delete(m.answers, key)
		}
	}
	good := m.answers["his.password"]
	m.answers["his.password"] = "not the password"
	out, err = m.setup()
	if err == nil || !strings.Contains(out, "收到：") || !strings.Contains(out, "his.keep") {
		t.Fatalf("a wrong password of the HIS: %v\n%s", err, out)
	}
	for _, secret := range []string{"not the password", m.answers["his.test_id_no"], m.answers["his.test_name"]} {
		if strings.Contains(out, secret) {
			t.Errorf("the probe shows %q", secret)
		}
	}
	passwords := regexp.MustCompile(`(\S+@example-hospital.cn)，初始密码 (\S+)`).FindAllStringSubmatch(out, -1)
	if len(passwords) != 3 {
		t.Fatalf("%d first passwords\n%s", len(passwords), out)
	}
	for key := range m.answers {
		if !strings.HasPrefix(key, "his.") && !strings.HasPrefix(key, "sms.") {
			delete(m.answers, key)
		}
	}
	m.answers["his.password"] = good
	out, err = m.setup()
	if err != nil || !strings.Contains(out, "检查全部通过") || strings.Contains(out, "✗") {
		t.Fatalf("%v\n%s", err, out)
	}
	m.answers = map[string]string{}
	if out, err = m.setup(); err != nil || strings.Count(out, "✓ 已有") != 9 {
		t.Errorf("once more: %v\n%s", err, out)
	}
	m.serve()
	m.refundOfOneYuan(passwords[2][2])
}

// serve starts the program that was set up.
func (m *machine) serve() {
	m.Helper()
	server := exec.Command(m.bin, "serve")
	server.Dir, server.Env, server.Stderr = m.dir, m.environment(), os.Stderr
	if err := server.Start(); err != nil {
		m.Fatal(err)
	}
	m.Cleanup(func() { _ = server.Process.Kill(); _ = server.Wait() })
	within(m.T, func() bool {
		res, err := http.Get("http://" + m.http + "/api/health")
		if err == nil {
			res.Body.Close()
		}
		return err == nil && res.StatusCode == 200
	})
}

// refundOfOneYuan pays the first refund.
func (m *machine) refundOfOneYuan(reviewerPassword string) {
	m.Helper()
	api := demo.NewAPI("http://" + m.http)
	if out, err := m.run(nil, "setup", "--answers", "/dev/null"); err == nil || !strings.Contains(out, "JSON") {
		m.Errorf("an empty file of answers: %v %s", err, out)
	}
	if out, err := m.run(strings.NewReader(""), "setup"); err == nil || !strings.Contains(out, "请先停止服务") {
		m.Errorf("beside the service: %v %s", err, out)
	}
	res := must(http.Get(api.Base + "/MP_verify_Xy12.txt"))
	if text := must(io.ReadAll(res.Body)); string(text) != "Xy12" {
		m.Errorf("WeChat's file: %s", text)
	}
	res.Body.Close()
	ctx := context.Background()
	patient := must(api.Login(ctx, m.at.Portal, "P0003", "alipay"))
	order := must(api.Apply(ctx, patient, demo.Wish{Channel: "alipay", Method: "transfer", Amount: 100}))
	var auth struct {
		Token string `json:"token"`
	}
	if err := api.Call(ctx, "POST", "/api/collections/staff/auth-with-password", "", map[string]any{"identity": "c@example-hospital.cn",
		"password": reviewerPassword}, &auth); err != nil {
		m.Fatal(err)
	}
	if err := api.Call(ctx, "POST", "/api/hospay/staff/password", auth.Token,
		map[string]any{"old": reviewerPassword, "new": "three words of mine"}, &auth); err != nil { // the first one was seen by whoever installed
		m.Fatal(err)
	}
	status := func() string {
		var o demo.Order
		if err := api.Call(ctx, "GET", "/api/collections/refund_orders/records/"+order.ID, patient.Token, nil, &o); err != nil {
			m.Fatal(err)
		}
		return o.Status
	}
	within(m.T, func() bool { return status() == "reviewing" })
	if err := api.Call(ctx, "POST", "/api/collections/reviews/records", auth.Token, map[string]any{"order": order.ID, "decision": "approve"},
		nil); err != nil {
		m.Fatal(err)
	}
	within(m.T, func() bool { return status() == "succeeded" })
	m.backupOnRecord()
}

// backupOnRecord: a backup by the command, beside the service, is in the audit log.
func (m *machine) backupOnRecord() {
	m.Helper()
	if out, err := m.run(nil, "backup", "--out", filepath.Join(m.dir, "one.backup")); err != nil {
		m.Fatalf("%v\n%s", err, out)
	}
	db := must(sql.Open("sqlite", "file:"+filepath.Join(m.dir, "data", "data.db")+"?mode=ro"))
	defer db.Close()
	var n int
	err := db.QueryRow("SELECT COUNT(*) FROM audit_log WHERE action = 'backup.create' AND target = 'one.backup'").Scan(&n)
	if err != nil || n != 1 {
		m.Errorf("%d rows of the backup, %v", n, err)
	}
	if out, err := m.run(nil, "audit", "verify"); err != nil {
		m.Errorf("%v\n%s", err, out)
	}
}

// TestSetup_InnerHISTakesTwo: in production what is not HTTPS is not saved by
// whoever installs: the one who configures proposes it with the own password, and
// it waits for finance.
func TestSetup_InnerHISTakesTwo(t *testing.T) {
	m := newMachine(t)
	m.prepare()
	his := map[string]string{}
	for key, v := range m.answers {
		if strings.HasPrefix(key, "wechat.") || strings.HasPrefix(key, "alipay.") || strings.HasPrefix(key, "sms.") {
			delete(m.answers, key)
		}
		if strings.HasPrefix(key, "his.") {
			his[key] = v
			delete(m.answers, key)
		}
	}
	m.answers["place.env"] = "production"
	out, err := m.setup()
	if err == nil || !strings.Contains(out, "✗") || strings.Contains(out, "检查全部通过") {
		t.Fatalf("without channels and HIS: %v\n%s", err, out)
	}
	first := regexp.MustCompile(`a@example-hospital.cn，初始密码 (\S+)`).FindStringSubmatch(out)
	if len(first) != 2 {
		t.Fatal(out)
	}
	m.answers = his
	his["his.config_password"] = "guessed"
	if out, err := m.setup(); err == nil || !strings.Contains(out, "密码不正确") {
		t.Errorf("another's password: %v\n%s", err, out)
	}
	his["his.config_password"] = first[1]
	if out, _ := m.setup(); !strings.Contains(out, "已提出，等财务确认") {
		t.Errorf("%s", out)
	}
	m.answers = map[string]string{}
	if out, _ := m.setup(); !strings.Contains(out, "✓ 已有：已提出，等财务在控制台") {
		t.Errorf("%s", out)
	}
}

// TestSetup_KeyOfTicketsIsLong: a key that can be guessed lets anybody in as any
// patient.
func TestSetup_KeyOfTicketsIsLong(t *testing.T) {
	a := testapp.New(t, testapp.Config{Production: true})
	rec := mustRecord(t, a, collections.Institutions, a.Institution)
	rec.Set("secrets_input", `{"portal_secret":"a"}`)
	if err := a.Runtime.App.Save(rec); err == nil || flow.CodeOf(err) == "" && !strings.Contains(fmt.Sprint(err), "16") {
		t.Errorf("%v", err)
	}
}

// within waits for something that comes.
func within(t *testing.T, is func() bool) {
	t.Helper()
	for range 1200 {
		if is() {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatal("did not come about in a minute")
}
