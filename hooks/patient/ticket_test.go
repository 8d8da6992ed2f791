package patient

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"testing"
	"time"
)

const portalSecret = "0123456789abcdef0123456789abcdef"

var ticketTime = time.Unix(1_800_000_000, 0)

func signTicket(t Ticket, secret string) string {
	b, err := json.Marshal(t)
	if err != nil {
		panic(err)
	}
	first := base64.RawURLEncoding.EncodeToString(b)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(first))
	return first + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

func goodTicket() Ticket {
	return Ticket{Institution: "demo", Subject: "P1", ID: "j", Name: "张三", IDNo: "110101199001011237", IssuedAt: ticketTime.Unix(),
		ExpiresAt: ticketTime.Add(5 * time.Minute).Unix()}
}

func judgeTicket(s, secret string, now time.Time) error {
	t, signed, sum, err := readTicket(s)
	if err != nil {
		return err
	}
	return verifyTicket(t, signed, sum, secret, now)
}

func TestTicket_LivesAsLongAsItSays(t *testing.T) {
	s := signTicket(goodTicket(), portalSecret)
	for name, c := range map[string]struct {
		now  time.Time
		want error
	}{
		"签发时":    {ticketTime, nil},
		"时钟慢一分钟": {ticketTime.Add(-time.Minute), nil},
		"时钟慢两分钟": {ticketTime.Add(-2 * time.Minute), errTicketInvalid},
		"到期前一秒":  {ticketTime.Add(5*time.Minute - time.Second), nil},
		"到期":     {ticketTime.Add(5 * time.Minute), errTicketExpired},
	} {
		if err := judgeTicket(s, portalSecret, c.now); err != c.want { //nolint:errorlint // sentinels
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	if judgeTicket(s, "short", ticketTime) == nil || judgeTicket(s, "", ticketTime) == nil {
		t.Error("a secret that is none was enough")
	}
}

// FuzzTicket: nothing but what the portal has signed gets in, and nothing makes
// the reader fall over.
func FuzzTicket(f *testing.F) {
	good := signTicket(goodTicket(), portalSecret)
	for _, s := range []string{good, good + ".", good[:len(good)-1], "." + good, "e30.e30", "", ".", "a.b",
		signTicket(goodTicket(), "another secret entirely")} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if judgeTicket(s, portalSecret, ticketTime) != nil {
			return
		}
		if have, _, _, err := readTicket(s); err != nil || have != goodTicket() {
			t.Fatalf("%q got in", s)
		}
	})
}
