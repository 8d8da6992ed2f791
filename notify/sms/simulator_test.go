package sms_test

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"hospay/notify"
	"hospay/notify/sms"
	gate "hospay/sim/sms"
	"hospay/sim/world"
)

// The examples of docs/sms.md, spoken to the simulated gateway.
const (
	formExample = `{"body":"account={secret.user}&mobile={phone}&content=【演示医院】{text}&ts={time}&sign={sign.md5}",
		"sign":"{secret.user}{secret.password}{time}","charset":"gbk",
		"success":{"path":"code","values":["0"],"refused":["12"],"id":"msgid"}}`
	jsonExample = `{"content_type":"json","headers":{"Authorization":"Bearer {secret.token}"},
		"body":"{\"requestId\":\"{id}\",\"phones\":[\"{phone}\"],\"content\":\"{text}\"}","success":{"match":"\"success\"\\s*:\\s*true"}}`
)

func TestSimulator_UnderstandsTheExamples(t *testing.T) {
	people := world.New(1, 20, time.Time{})
	s := gate.New(people)
	if err := s.Listen("127.0.0.1", 0); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	phone := people.Find("P0015").Phone
	for path, c := range map[string]struct{ settings, want string }{
		"/sms/form": {formExample, "【演示医院】退款 ￥1.00 & 100% 已到账\n迪丽努尔·艾合买提"}, "/sms/json": {jsonExample, "退款 ¥1.00 & 100% 已到账\n迪丽努尔·艾合买提"},
	} {
		cfg, err := sms.ParseConfig(s.URL()+path, json.RawMessage(c.settings), map[string]string{"user": gate.Account,
			"password": gate.Password, "token": gate.Token})
		if err != nil {
			t.Fatal(err)
		}
		cfg.Now = noon
		g, err := sms.NewGateway(cfg)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := g.Send(t.Context(), "N1", phone, "退款 ¥1.00 & 100% 已到账\n迪丽努尔·艾合买提"); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		rows := s.Messages()
		if m := rows[len(rows)-1]; m.Text != c.want || m.Patient != "P0015" {
			t.Errorf("%s: %+v", path, m)
		}
		if path == "/sms/json" {
			continue
		}
		if _, err := g.Send(t.Context(), "N2", "12345678", "x"); !errors.Is(err, notify.ErrRefused) {
			t.Errorf("%s: %v", path, err)
		}
	}
}
