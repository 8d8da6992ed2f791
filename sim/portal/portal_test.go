package portal_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"hospay/internal/testday"
	"hospay/sim/portal"
	"hospay/sim/world"
)

func TestTicket(t *testing.T) {
	people := world.New(1, 20, testday.Now())
	s := portal.New(people)
	s.Clock().Begin(testday.Ahead())
	if err := s.Listen("127.0.0.1", 0); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	res, err := http.Get(s.URL() + "/_sim/ticket?patient=P0001&via=wechat")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var a portal.Answer
	if err := json.NewDecoder(res.Body).Decode(&a); err != nil || a.Name != "林若溪" || len(a.Cards) == 0 || a.Cards[0] != "C0001" ||
		a.AlipayOpenID == "" || a.AlipayOpenID != people.Find("P0001").AlipayOpenID {
		t.Fatalf("%v %+v", err, a)
	}
	first, second, _ := strings.Cut(a.Ticket, ".")
	mac := hmac.New(sha256.New, []byte(portal.Secret))
	mac.Write([]byte(first))
	if second != base64.RawURLEncoding.EncodeToString(mac.Sum(nil)) {
		t.Fatal("signature")
	}
	var c portal.Claims
	raw, _ := base64.RawURLEncoding.DecodeString(first)
	if err := json.Unmarshal(raw, &c); err != nil || c.Subject != "P0001" || c.Openid != a.Openid || c.AlipayUserID != "" ||
		c.Expires-c.IssuedAt != 300 {
		t.Fatalf("%v %+v", err, c)
	}
	page, err := http.Get(s.URL() + "/?to=http://127.0.0.1:1234")
	if err != nil {
		t.Fatal(err)
	}
	defer page.Body.Close()
	if text, _ := io.ReadAll(page.Body); !strings.Contains(string(text), "林若溪") || !strings.Contains(string(text), "/enter?patient=P0001") {
		t.Fatalf("%s", text)
	}
}
