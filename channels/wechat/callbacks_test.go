package wechat

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"hospay/channels"
	"hospay/flow"
	"hospay/refund"
)

const paid = `{"out_bill_no":"T20260102A1","transfer_bill_no":"1330","state":"SUCCESS","mch_id":"1900000001","transfer_amount":12345,` +
	`"openid":"oSecretOpenID0001","create_time":"2026-01-02T03:04:05+08:00","update_time":"2026-01-02T03:04:06+08:00"}`

func TestCallback_Transfer(t *testing.T) {
	c := newClient(t, testConfig(""))
	for name, plain := range map[string]string{"mch_id": paid, "mchid": strings.Replace(paid, "mch_id", "mchid", 1)} {
		h, body := callback(eventTransfer, plain)
		cb, err := c.ParseCallback(t.Context(), h, body)
		if err != nil || cb.ID != "EV-1" || cb.Kind != refund.CallbackTransfer || cb.No != "T20260102A1" ||
			told(cb).Answer.Of.Payees[refund.AccountWechatOpenID] != "oSecretOpenID0001" ||
			told(cb).Answer.Verdict != flow.Done || told(cb).Answer.State != refund.PayoutSucceeded || told(cb).Answer.Of.Amount != 12345 ||
			told(cb).Answer.PaidAt.IsZero() {
			t.Errorf("%s: %+v, %v", name, cb, err)
		}
		if strings.Contains(cb.Body, "oSecret") || !strings.Contains(cb.Body, "T20260102A1") {
			t.Errorf("record %s", cb.Body)
		}
	}
}

func TestCallback_Refund(t *testing.T) {
	c := newClient(t, testConfig(""))
	for status, want := range map[string]refund.PayoutState{"SUCCESS": refund.PayoutSucceeded, "ABNORMAL": refund.PayoutReturned,
		"CLOSED": refund.PayoutFailed} {
		h, body := callback("REFUND."+status, `{"mchid":"1900000001","out_refund_no":"R1","refund_id":"50","refund_status":"`+status+
			`","success_time":"2026-01-02T03:04:05+08:00","amount":{"refund":500,"total":10000}}`)
		cb, err := c.ParseCallback(t.Context(), h, body)
		if err != nil || cb.Kind != refund.CallbackRefund || cb.No != "R1" || told(cb).Answer.State != want || told(cb).Answer.Of.Amount != 500 {
			t.Errorf("%s: %+v, %v", status, cb, err)
		}
	}
	h, body := callback("COUPON.USE", `{"mchid":"1900000001","appid":"`+testApp+`"}`)
	if cb, err := c.ParseCallback(t.Context(), h, body); err != nil || cb.Kind != flow.CallbackOther {
		t.Errorf("%+v, %v", cb, err)
	}
}

func TestCallback_Refusals(t *testing.T) {
	k := testKeys()
	c := newClient(t, testConfig(""))
	for name, spoil := range map[string]func(h http.Header, body []byte) []byte{
		"旧时间": func(h http.Header, b []byte) []byte {
			stamp(h, k.wechat, testKeyID, string(b), time.Now().Add(-6*time.Minute))
			return b
		},
		"未来时间": func(h http.Header, b []byte) []byte {
			stamp(h, k.wechat, testKeyID, string(b), time.Now().Add(6*time.Minute))
			return b
		},
		"别人的密钥": func(h http.Header, b []byte) []byte { stamp(h, k.merchant, testKeyID, string(b), time.Now()); return b },
		"未知密钥号": func(h http.Header, b []byte) []byte {
			stamp(h, k.wechat, "PUB_KEY_ID_1", string(b), time.Now())
			return b
		},
		"平台证书": func(h http.Header, b []byte) []byte { stamp(h, k.old, "ABCDEF0123", string(b), time.Now()); return b },
		"探测":   func(h http.Header, b []byte) []byte { h.Set("Wechatpay-Signature", "WECHATPAY/SIGNTEST/abc"); return b },
		"国密": func(h http.Header, b []byte) []byte {
			h.Set("Wechatpay-Signature-Type", "WECHATPAY2-SM2-WITH-SM3")
			return b
		},
		"改动正文": func(_ http.Header, b []byte) []byte { return append(b, ' ') },
		"没有资源": func(h http.Header, _ []byte) []byte {
			return resign(h, `{"id":"1","event_type":"MCHTRANSFER.BILL.FINISHED"}`)
		},
		"短随机串": func(h http.Header, b []byte) []byte {
			return resign(h, strings.Replace(string(b), "123456789012", "1234", 1))
		},
		"别的算法": func(h http.Header, b []byte) []byte {
			return resign(h, strings.Replace(string(b), "AEAD_AES_256_GCM", "NONE", 1))
		},
		"坏密文": func(h http.Header, b []byte) []byte {
			return resign(h, strings.Replace(string(b), `"ciphertext":"`, `"ciphertext":"AAAA`, 1))
		},
	} {
		h, body := callback(eventTransfer, paid)
		if _, err := c.ParseCallback(t.Context(), h, spoil(h, body)); !errors.Is(err, channels.ErrBadCallback) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, plain := range map[string]string{
		"别的商户": strings.Replace(paid, testMch, "1900000002", 1), "没有商户": strings.Replace(paid, "mch_id", "x", 1),
		"别的应用": strings.Replace(paid, `"state"`, `"appid":"wxother","state"`, 1), "没有单号": `{"mch_id":"1900000001","state":"SUCCESS"}`,
		"没有状态": `{"mch_id":"1900000001","out_bill_no":"T1"}`, "金额是文本": strings.Replace(paid, "12345,", `"12345",`, 1), "不是对象": `[]`,
	} {
		h, body := callback(eventTransfer, plain)
		if cb, err := c.ParseCallback(t.Context(), h, body); !errors.Is(err, channels.ErrBadCallback) ||
			strings.Contains(err.Error(), "oSecret") {
			t.Errorf("%s: %+v, %v", name, cb, err)
		}
	}
}

func resign(h http.Header, body string) []byte {
	stamp(h, testKeys().wechat, testKeyID, body, time.Now())
	return []byte(body)
}

// While a merchant migrates, callbacks come signed by either key.
func TestCallback_BothKindsOfKeys(t *testing.T) {
	k := testKeys()
	both, certs := testConfig(""), testConfig("")
	both.Secrets["platform_certs"] = k.certPEM
	certs.Secrets["platform_certs"], certs.Secrets["public_key"], certs.Secrets["public_key_id"] = k.certPEM, "", ""
	h, body := callback(eventTransfer, paid)
	old := h.Clone()
	stamp(old, k.old, "ABCDEF0123", string(body), time.Now())
	for _, row := range []struct {
		name   string
		cfg    channels.Config
		header http.Header
		ok     bool
	}{
		{"两者都有，公钥签名", both, h, true}, {"两者都有，证书签名", both, old, true},
		{"只有证书，证书签名", certs, old, true}, {"只有证书，公钥签名", certs, h, false}, {"只有公钥，证书签名", testConfig(""), old, false},
	} {
		if _, err := newClient(t, row.cfg).ParseCallback(t.Context(), row.header, body); (err == nil) != row.ok {
			t.Errorf("%s: %v", row.name, err)
		}
	}
}

func TestAcknowledge(t *testing.T) {
	c := newClient(t, testConfig(""))
	for _, row := range []struct {
		err  error
		code int
		word string
	}{{nil, 200, "SUCCESS"}, {channels.ErrBadCallback, 401, "FAIL"}, {errors.New("database"), 500, "FAIL"}} {
		w := httptest.NewRecorder()
		c.Acknowledge(w, row.err)
		var body struct{ Code string }
		if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil || w.Code != row.code || body.Code != row.word {
			t.Errorf("%v: %d %s", row.err, w.Code, w.Body)
		}
	}
}

func FuzzCallback(f *testing.F) {
	c := newClient(f, testConfig(""))
	h, body := callback(eventTransfer, paid)
	f.Add(body, h.Get("Wechatpay-Signature"), paid, false)
	f.Add([]byte(`{"resource":null}`), "WECHATPAY/SIGNTEST/", `{"mch_id":1}`, true)
	f.Add([]byte(`{"id":"1","event_type":"REFUND.SUCCESS","resource":{"algorithm":"AEAD_AES_256_GCM","nonce":"123456789012",`+
		`"ciphertext":"AA=="}}`), "", `{}`, true)
	f.Fuzz(func(t *testing.T, raw []byte, signature, plain string, resigned bool) {
		header := h.Clone()
		header.Set("Wechatpay-Signature", signature)
		if resigned { // reach what comes after the signature
			resign(header, string(raw))
		}
		cb, err := c.ParseCallback(t.Context(), header, raw)
		if err == nil && !resigned && !bytes.Equal(raw, body) {
			t.Fatalf("unsigned callback passed: %+v", cb)
		}
		if err != nil && !errors.Is(err, channels.ErrBadCallback) {
			t.Fatal(err)
		}
		hh, bb := callback(eventTransfer, plain)
		cb, err = c.ParseCallback(t.Context(), hh, bb)
		if err == nil && (cb.No == "" || told(cb).Answer.Verdict != flow.Done) {
			t.Fatalf("%q: %+v", plain, cb)
		}
	})
}

// told is what a callback says about its payout.
func told(cb flow.Callback) refund.Told {
	t, _ := cb.Told.(refund.Told)
	return t
}
