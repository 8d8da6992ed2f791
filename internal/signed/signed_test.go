package signed

import (
	"bytes"
	"crypto/rand"
	"encoding/asn1"
	"encoding/hex"
	"encoding/json"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/emmansun/gmsm/sm2"
)

var (
	key = []byte("0123456789abcdef0123456789abcdef")
	at  = time.Unix(1_795_399_200, 0)
)

func request() Request {
	return Request{Method: "POST", Path: "/api/hospay/his/refunds?a=1", Timestamp: "1795399200", Nonce: "abcdefgh-0123456",
		Body: []byte(`{"a":1}`)}
}

// The known answer is made by hand: openssl dgst -sha256 -hmac over the lines of
// docs/his.md.
func TestPlain_KnownAnswer(t *testing.T) {
	const want = "9b2e8436f2f85a86a3c19f94e25017f66b47fb26f3c86c8f407007e9adad6c88"
	if got := request().Sign(key); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if err := request().Verify(key, want, at); err != nil {
		t.Error(err)
	}
}

// Whatever changes, the signature does not fit; the time is told only when it
// does.
func TestPlain_WhateverChanges(t *testing.T) {
	good := request().Sign(key)
	for name, change := range map[string]func(*Request){
		"method": func(r *Request) { r.Method = "GET" }, "path": func(r *Request) { r.Path = "/api/hospay/his/refunds?a=2" },
		"stamp": func(r *Request) { r.Timestamp = "1795399201" }, "nonce": func(r *Request) { r.Nonce = "abcdefgh-0123457" },
		"body": func(r *Request) { r.Body = []byte(`{"a":2}`) }, "no body": func(r *Request) { r.Body = nil },
		"line moved": func(r *Request) { r.Path, r.Timestamp = r.Path+"\n1795399200", "" },
		"short":      func(r *Request) { r.Nonce = "abc" }, "stamp in words": func(r *Request) { r.Timestamp = "now" },
	} {
		r := request()
		change(&r)
		if err := r.Verify(key, good, at); err != ErrSign {
			t.Errorf("%s: %v", name, err)
		}
	}
	r := request()
	for _, bad := range []string{"", good[1:], strings.ToUpper(good), good + " ", strings.Repeat("0", 64),
		r.Answer(key, 200, "1795399200", nil)} {
		if err := r.Verify(key, bad, at); err != ErrSign {
			t.Errorf("%q: %v", bad, err)
		}
	}
	for _, weak := range [][]byte{nil, key[:31]} {
		if err := r.Verify(weak, r.Sign(weak), at); err != ErrSign {
			t.Errorf("a key of %d bytes: %v", len(weak), err)
		}
	}
	for d, want := range map[time.Duration]error{Window: nil, -Window: nil, Window + time.Second: ErrStamp, -Window - time.Second: ErrStamp} {
		if err := r.Verify(key, good, at.Add(d)); err != want {
			t.Errorf("%s: %v", d, err)
		}
	}
}

func TestPlain_AnswersBelongToTheirRequest(t *testing.T) {
	a, b := request(), request()
	b.Nonce = "another-request-1"
	one := a.Answer(key, 200, "1795399200", []byte("{}"))
	for _, other := range []string{b.Answer(key, 200, "1795399200", []byte("{}")), a.Answer(key, 400, "1795399200", []byte("{}")),
		a.Answer(key, 200, "1795399201", []byte("{}")), a.Answer(key, 200, "1795399200", nil)} {
		if other == one {
			t.Error("two answers have one signature")
		}
	}
}

const token = "abcdef0123456789"

// caller is a vendor with a key pair.
func caller(t testing.TB) (*sm2.PrivateKey, *SM) {
	t.Helper()
	priv, err := sm2.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	public := make([]byte, 65)
	public[0] = 4
	priv.X.FillBytes(public[1:33])
	priv.Y.FillBytes(public[33:])
	s, err := NewSM("SN1", token, hex.EncodeToString(public))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := NewSM("SN1", token, hex.EncodeToString(public[1:])); err != nil {
		t.Error("without the 04 in front:", err)
	}
	return priv, s
}

// sealed is a request of the vendor.
func sealed(t testing.TB, priv *sm2.PrivateKey, s *SM, plain, stamp string, raw bool) map[string]any {
	t.Helper()
	data, err := s.Seal([]byte(plain))
	if err != nil {
		t.Fatal(err)
	}
	r, v, err := sm2.SignWithSM2(rand.Reader, &priv.PrivateKey, userID, []byte(data+token+stamp))
	if err != nil {
		t.Fatal(err)
	}
	sign, _ := asn1.Marshal(struct{ R, S *big.Int }{r, v})
	if raw {
		sign = make([]byte, 64)
		r.FillBytes(sign[:32])
		v.FillBytes(sign[32:])
	}
	return map[string]any{"sn": "SN1", "data": data, "sign": hex.EncodeToString(sign), "timestamp": json.Number(stamp)}
}

func open(s *SM, m map[string]any, now time.Time) (string, string, error) {
	body, _ := json.Marshal(m)
	plain, nonce, err := s.Open(body, now)
	return string(plain), nonce, err
}

func TestSM_OpensBothWaysToWriteASignature(t *testing.T) {
	priv, s := caller(t)
	nonces := map[string]bool{}
	for _, raw := range []bool{false, true} {
		m := sealed(t, priv, s, `{"trade_no":"T1"}`, "1795399200", raw)
		plain, nonce, err := open(s, m, at)
		if err != nil || plain != `{"trade_no":"T1"}` {
			t.Fatal(plain, err)
		}
		nonces[nonce] = true
		m["timestamp"] = "1795399200"
		m["data"] = strings.ToUpper(m["data"].(string))
		if _, _, err := open(s, m, at); err != ErrSign {
			t.Error("signed is the text as it came:", err)
		}
	}
	if len(nonces) != 1 {
		t.Error("one content in one second is one request, however it was signed")
	}
	for d, want := range map[time.Duration]error{Window: nil, Window + time.Second: ErrStamp, -Window - time.Second: ErrStamp} {
		if _, _, err := open(s, sealed(t, priv, s, "{}", "1795399200", false), at.Add(d)); err != want {
			t.Errorf("%s: %v", d, err)
		}
	}
}

func TestSM_WhateverChanges(t *testing.T) {
	priv, s := caller(t)
	stranger, _ := caller(t)
	other, _ := s.Seal([]byte(`{"trade_no":"T2"}`))
	for name, change := range map[string]func(map[string]any){
		"serial": func(m map[string]any) { m["sn"] = "SN2" }, "data": func(m map[string]any) { m["data"] = other },
		"stamp": func(m map[string]any) { m["timestamp"] = json.Number("1795399201") }, "sign": func(m map[string]any) { m["sign"] = "00" },
		"no sign": func(m map[string]any) { delete(m, "sign") }, "no stamp": func(m map[string]any) { delete(m, "timestamp") },
		"stamp in words": func(m map[string]any) { m["timestamp"] = "now" },
		"millis":         func(m map[string]any) { m["timestamp"] = json.Number("1795399200000") },
		"a stranger's": func(m map[string]any) {
			m["sign"] = sealed(t, stranger, s, `{"trade_no":"T1"}`, "1795399200", false)["sign"]
		},
		"trailing": func(m map[string]any) { m["sign"] = m["sign"].(string) + "00" },
	} {
		m := sealed(t, priv, s, `{"trade_no":"T1"}`, "1795399200", false)
		change(m)
		if plain, _, err := open(s, m, at); err != ErrSign || plain != "" {
			t.Errorf("%s: %q %v", name, plain, err)
		}
	}
	for _, bad := range [][3]string{{"", token, ""}, {"SN", "short", ""}, {"SN", token, "00"}, {"SN", token, strings.Repeat("11", 64)},
		{"SN", token, "zz"}} {
		if _, err := NewSM(bad[0], bad[1], bad[2]); err == nil || !strings.ContainsFunc(err.Error(), func(r rune) bool { return r > 0x4e00 }) {
			t.Error(bad, err)
		}
	}
}

// FuzzOpen: nothing but what the vendor has signed opens.
func FuzzOpen(f *testing.F) {
	priv, s := caller(f)
	good, _ := json.Marshal(sealed(f, priv, s, `{"a":1}`, "1795399200", false))
	f.Add(good)
	f.Add([]byte(`{"sn":"SN1","data":"","sign":"","timestamp":1795399200}`))
	f.Add([]byte(`{}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		plain, _, err := s.Open(body, at)
		if err == nil && (!bytes.Equal(body, good) && string(plain) != `{"a":1}`) {
			t.Fatalf("%q opens %q", body, plain)
		}
	})
}
