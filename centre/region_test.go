package centre

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

func TestProfiles_AreWhole(t *testing.T) {
	for _, code := range Profiles() {
		r, ok := Profile(code)
		if err := r.Check(); !ok || err != nil || r.Code != code || r.Title == "" {
			t.Errorf("%s: %v %+v", code, err, r)
		}
		raw, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		var back Region
		if err := json.Unmarshal(raw, &back); err != nil || back.Paths != r.Paths || back.Order != r.Order {
			t.Errorf("%s: %v %s", code, err, raw)
		}
	}
	if _, ok := Profile("nowhere"); ok {
		t.Error("a profile of nowhere")
	}
	a, _ := Profile(National)
	a.Refusals["9"] = Refusal{}
	if b, _ := Profile(National); len(b.Refusals) != 1 {
		t.Error("profiles share what they hold")
	}
}

func TestReadRegion_ProfileAndWhatDiffers(t *testing.T) {
	r, err := ReadRegion([]byte(`{"base":"guangzhou","sm2_user_id":"default","auth_minutes":120,"paths":{"6203":"/x/refund_order"},` +
		`"refusals":{"2001":{"who":"patient","words":"请重新授权"}}}`))
	if err != nil || r.WechatCity != "440108" || r.Paths.Refund != "/x/refund_order" || r.Paths.Upload == "" || r.AuthMinutes != 120 ||
		string(r.userID("s")) != defaultUserID || r.Refusals["114"].Who != "it" || r.Refusals["2001"].Who != "patient" {
		t.Errorf("%+v %v", r, err)
	}
	if r, err := ReadRegion(nil); err != nil || r.Code != National || string(r.userID("s")) != "s" {
		t.Error(r, err)
	}
	for _, text := range []string{`{`, `{"base":"nowhere"}`, `{"pathz":{}}`, `{"order":"sideways"}`, `{"answer_age":0}`,
		`{"paths":{"6201":"http://x/y"}}`,
		`{"paths":{"6201":"/a?b"}}`, `{"refusals":{"0":{}}}`, `{"version":""}`, `{"auth_minutes":"5"}`, `{"notice_reply":"x"}`} {
		if r, err := ReadRegion([]byte(text)); err == nil {
			t.Errorf("%s: %+v", text, r)
		}
	}
}

func TestRegion_WhatIsSentFollowsIt(t *testing.T) {
	r := national()
	r.Stamp, r.Paths.Query, r.Version, r.SM2UserID = StampMillis, "/relay/6301", "2.0.2", "ALICE"
	s := twoSides(t, r)
	if got := s.client.stamp(); got != "1795838400000" {
		t.Error(got)
	}
	body, err := s.client.seal(sealed{}, map[string]any{"a": "1"})
	if order := []string{"appId", "encType", "signType", "timestamp", "version", "encData", "signData"}; err == nil {
		at := -1
		for _, k := range order {
			i := strings.Index(string(body), `"`+k+`"`)
			if i <= at {
				t.Errorf("%s stands at %d in %s", k, i, body)
			}
			at = i
		}
	}
	if strings.Contains(string(body), `"data"`) {
		t.Error("data was sent")
	}
	if o, err := s.centre.open(body, time.Second); err != nil || o.Data != nil && o.Data.text("a") != "1" {
		t.Error(o, err)
	}
	s.client.region.SM2UserID = UserSecret
	s.client.userID = s.client.region.userID(sampleSecret)
	if body, _ := s.client.seal(sealed{}, map[string]any{"a": "1"}); err == nil {
		if _, err := s.centre.open(body, time.Second); err != errSignature {
			t.Error("another user id was accepted", err)
		}
	}
}

func TestNew_SaysWhatIsWrong(t *testing.T) {
	private, public := pair(t)
	good := Config{Base: "http://127.0.0.1:9104", Region: national(), OrgCode: "H1", AppID: sampleApp, AppSecret: sampleSecret,
		PrivateKey: private, PlatformKey: public, Now: func() time.Time { return noon }}
	if _, err := New(good); err != nil {
		t.Fatal(err)
	}
	for word, change := range map[string]func(*Config){
		"地址":   func(c *Config) { c.Base = "127.0.0.1" },
		"机构编码": func(c *Config) { c.OrgCode = "" },
		"私钥":   func(c *Config) { c.PrivateKey = public },
		"公钥":   func(c *Config) { c.PlatformKey = private },
		"应用编号": func(c *Config) { c.AppID = "short" },
		"地区":   func(c *Config) { c.Region = Region{} },
	} {
		c := good
		change(&c)
		if _, err := New(c); err == nil || !strings.Contains(err.Error(), word) {
			t.Errorf("%s: %v", word, err)
		}
	}
}
