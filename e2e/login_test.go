package e2e

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"hospay/collections"
	"hospay/lab/testapp"
	"hospay/sim/portal"
	"hospay/sim/wechat"
	"hospay/sim/world"
)

// claims of a good ticket of a test person.
func claims(who *world.Patient, id string) portal.Claims {
	now := time.Now()
	return portal.Claims{
		Issuer: "portal", Institution: "demo", Subject: who.Code, Name: who.Name, IDType: "01", IDNo: who.IDNo, Phone: who.Phone, Via: "wechat",
		Openid: who.Openid, IssuedAt: now.Unix(), Expires: now.Add(5 * time.Minute).Unix(), ID: id,
	}
}

func enter(t *testing.T, a *testapp.App, c portal.Claims, secret string) testapp.Answer {
	t.Helper()
	b, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	return a.Call("POST", "/api/hospay/auth/ticket", "", map[string]any{"ticket": portal.Sign(b, secret)})
}

func TestLogin_Ticket(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	who := a.Sims.World.Find("P0001")
	for _, c := range []struct {
		name, code string
		status     int
		change     func(*portal.Claims) string // returns the secret
	}{
		{"过期", "ticket_expired", 401, func(c *portal.Claims) string {
			c.IssuedAt, c.Expires = time.Now().Add(-10*time.Minute).Unix(), time.Now().Add(-time.Second).Unix()
			return portal.Secret
		}},
		{"别的密钥", "ticket_invalid", 401, func(*portal.Claims) string { return "another secret of that length" }},
		{"空密钥", "ticket_invalid", 401, func(*portal.Claims) string { return "" }},
		{"有效期过长", "ticket_invalid", 401, func(c *portal.Claims) string { c.Expires = time.Now().Add(time.Hour).Unix(); return portal.Secret }},
		{"签发在未来", "ticket_invalid", 401, func(c *portal.Claims) string {
			c.IssuedAt, c.Expires = time.Now().Add(5*time.Minute).Unix(), time.Now().Add(8*time.Minute).Unix()
			return portal.Secret
		}},
		{"没有身份证号", "ticket_invalid", 401, func(c *portal.Claims) string { c.IDNo = ""; return portal.Secret }},
		{"没有姓名", "ticket_invalid", 401, func(c *portal.Claims) string { c.Name = ""; return portal.Secret }},
		{"没有流水号", "ticket_invalid", 401, func(c *portal.Claims) string { c.ID = ""; return portal.Secret }},
		{"别的机构", "institution_off", 400, func(c *portal.Claims) string { c.Institution = "other"; return portal.Secret }},
		{"HIS中另有其名", "patient_not_found", 400, func(c *portal.Claims) string { c.Name = "某某某"; return portal.Secret }},
		{"HIS中没有此人", "patient_not_found", 400, func(c *portal.Claims) string {
			c.Subject, c.IDNo = "P9999", "110101199001011237"
			return portal.Secret
		}},
	} {
		x := claims(who, "jti-"+c.name)
		secret := c.change(&x)
		wantRefusal(t, c.name, enter(t, a, x, secret), c.status, c.code)
	}
	for name, ticket := range map[string]string{"空": "", "没有签名": "abc", "不是base64": "!!!.!!!", "超长": strings.Repeat("a", 5000) + ".b",
		"空对象": "e30.e30"} {
		res := a.Call("POST", "/api/hospay/auth/ticket", "", map[string]any{"ticket": ticket})
		if res.Status < 400 || res.Status >= 500 || !chinese(res.Text("message")) {
			t.Errorf("%s: %d %s", name, res.Status, res.Raw)
		}
	}
	if n := countRows(t, a, collections.Patients, nil); n != 0 {
		t.Errorf("%d patients after refused logins", n)
	}
	good := claims(who, "jti-good")
	if res := enter(t, a, good, portal.Secret); res.Status != 200 || res.Text("token") == "" {
		t.Fatalf("good ticket: %d %s", res.Status, res.Raw)
	}
	wantRefusal(t, "再次使用", enter(t, a, good, portal.Secret), 401, "ticket_used")
	used := 0
	again := claims(who, "jti-parallel")
	for _, res := range atOnce(
		func() testapp.Answer { return enter(t, a, again, portal.Secret) }, func() testapp.Answer { return enter(t, a, again, portal.Secret) },
		func() testapp.Answer { return enter(t, a, again, portal.Secret) }, func() testapp.Answer { return enter(t, a, again, portal.Secret) },
	) {
		if res.Status == 200 {
			used++
		}
	}
	if used != 1 {
		t.Errorf("one ticket let in %d at once", used)
	}
	set(t, a, collections.Institutions, `code = "demo"`, map[string]any{"active": false})
	wantRefusal(t, "机构停用", enter(t, a, claims(who, "jti-off"), portal.Secret), 400, "institution_off")
}

// TestLogin_SharedPhoneOfAFamily: the portal sends a child from the mother's
// WeChat. The child gets in; the account stays the mother's.
func TestLogin_SharedPhoneOfAFamily(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	mother, child := a.Sims.World.Find("P0001"), a.Sims.World.Find("P0002")
	if res := enter(t, a, claims(mother, "m"), portal.Secret); res.Status != 200 {
		t.Fatalf("mother: %d %s", res.Status, res.Raw)
	}
	c := claims(child, "c")
	c.Openid = mother.Openid
	res := enter(t, a, c, portal.Secret)
	if res.Status != 200 {
		t.Fatalf("child: %d %s", res.Status, res.Raw)
	}
	rec, err := a.Runtime.App.FindFirstRecordByData(collections.Patients, "patient_no", child.Code)
	if err != nil || rec.GetBool("wechat_bound") {
		t.Errorf("the mother's account is bound to the child, %v", err)
	}
}

// TestLogin_OAuthBindsAndRefuses binds an account to the patient who is logged
// in, lets them in by it later, and gives it to nobody else.
func TestLogin_OAuthBindsAndRefuses(t *testing.T) {
	for _, channel := range []string{"wechat", "alipay"} {
		t.Run(channel, func(t *testing.T) {
			a := testapp.New(t, testapp.Config{})
			set(t, a, collections.Institutions, `code = "demo"`, map[string]any{"self_entry": false})
			code := func(no string) string { return code(t, a, channel, no) }
			path := "/api/hospay/auth/" + channel
			wantRefusal(t, "陌生人", a.Call("POST", path, "", map[string]any{"code": code("P0001")}), 401, "not_bound")
			wantRefusal(t, "假授权码", a.Call("POST", path, "", map[string]any{"code": "forged"}), 401, "code_invalid")
			wantRefusal(t, "没有授权码", a.Call("POST", path, "", map[string]any{}), 400, "bad_request")
			p, q := a.Login("P0001", ""), a.Login("P0002", "")
			if res := a.Call("POST", path, p.Token, map[string]any{"code": code("P0001")}); res.Status != 200 {
				t.Fatalf("bind: %d %s", res.Status, res.Raw)
			}
			wantRefusal(t, "别人的账号", a.Call("POST", path, q.Token, map[string]any{"code": code("P0001")}), 409, "conflict")
			once := code("P0001")
			res := a.Call("POST", path, "", map[string]any{"code": once})
			rec, _ := res.Body["record"].(map[string]any)
			if res.Status != 200 || rec["id"] != p.ID {
				t.Errorf("login: %d %s", res.Status, res.Raw)
			}
			wantRefusal(t, "授权码第二次", a.Call("POST", path, "", map[string]any{"code": once}), 401, "code_invalid")
			if strings.Contains(string(res.Raw), "_sealed") || strings.Contains(string(res.Raw), "_index") ||
				strings.Contains(string(res.Raw), a.Sims.World.Find("P0001").IDNo) {
				t.Error("the answer shows what is sealed")
			}
		})
	}
}

// TestLogin_SnapshotUserIsNobody: a WeChat page opened in snapshot mode has a
// made-up openid.
func TestLogin_SnapshotUserIsNobody(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	p := a.Login("P0001", "")
	if err := a.Sims.WeChat.Settings().Update(func(s *wechat.Settings) error { s.SnapshotUser = true; return nil }); err != nil {
		t.Fatal(err)
	}
	c, err := a.Sims.WeChat.NewCode("P0001")
	if err != nil {
		t.Fatal(err)
	}
	if res := a.Call("POST", "/api/hospay/auth/wechat", p.Token, map[string]any{"code": c}); res.Status == 200 {
		t.Errorf("bound: %s", res.Raw)
	}
}
