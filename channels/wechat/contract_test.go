package wechat

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync"
	"testing"
	"time"

	"hospay/channels"
	"hospay/channels/channeltest"
	"hospay/flow"
	"hospay/payment"
	"hospay/refund"
)

func TestChannelContract(t *testing.T) {
	success := `{"out_bill_no":"` + transferPayout().No + `","transfer_bill_no":"1","state":"SUCCESS",` +
		`"create_time":"2026-01-02T03:04:05+08:00"}`
	channeltest.Run(t, channeltest.Kit{
		New:      func(t testing.TB, base string) channels.Channel { return newClient(t, testConfig(base)) },
		Payouts:  []refund.Payout{transferPayout(), originalPayout()},
		Receiver: channels.Account{ID: "oSecretOpenID0001", Type: refund.AccountWechatOpenID},
		Sign:     func(w http.ResponseWriter, _ *http.Request, body string) { answer(w, 200, body) },
		Unsigned: func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, success)
		},
		Forged: func(w http.ResponseWriter, _ *http.Request) {
			stamp(w.Header(), testKeys().merchant, testKeyID, success, time.Now())
			_, _ = io.WriteString(w, success)
		},
		Unlisted: func(w http.ResponseWriter, _ *http.Request) {
			answer(w, 400, `{"code":"SOMETHING_NEW","message":"张三丰 oSecretOpenID0001"}`)
		},
		Private: []string{"张三丰", "oSecretOpenID0001", testSecret, testAPIKey, "SECRETCODE", testPartnerSecret, testPerson.IDNo, "AUTH44"},
		Payments: channeltest.Payments{Trades: []payment.Trade{jsapiTrade(), kioskTrade()}, Refund: tradeRefund(), Mixed: mixedOrder(),
			Ask: authorisationAsk(), LocalAuth: true},
	})
}

// Signatures that are right in form but not in time, key or kind prove nothing.
func TestAnswersWithDoubtfulSignatures(t *testing.T) {
	body := `{"out_bill_no":"T20260102A1","transfer_bill_no":"1","state":"SUCCESS"}`
	k := testKeys()
	for name, sign := range map[string]func(h http.Header){
		"探测流量": func(h http.Header) {
			stamp(h, k.wechat, testKeyID, body, time.Now())
			h.Set("Wechatpay-Signature", "WECHATPAY/SIGNTEST/"+h.Get("Wechatpay-Signature"))
		},
		"过期时间":  func(h http.Header) { stamp(h, k.wechat, testKeyID, body, time.Now().Add(-6*time.Minute)) },
		"未知公钥号": func(h http.Header) { stamp(h, k.wechat, "PUB_KEY_ID_9", body, time.Now()) },
		"另一段正文": func(h http.Header) { stamp(h, k.wechat, testKeyID, body+" ", time.Now()) },
	} {
		t.Run(name, func(t *testing.T) {
			srv := serve(t, func(w http.ResponseWriter, _ *http.Request, _ []byte) {
				sign(w.Header())
				_, _ = io.WriteString(w, body)
			})
			c := newClient(t, testConfig(srv.URL))
			if a := c.Pay(t.Context(), transferPayout()); a.Verdict != flow.Unknown {
				t.Errorf("%+v", a)
			}
		})
	}
}

// An error answer need not be signed, but a wrong signature on it is no refusal.
func TestErrorWithWrongSignatureIsUnknown(t *testing.T) {
	body := `{"code":"NOT_ENOUGH","message":"m"}`
	srv := serve(t, func(w http.ResponseWriter, _ *http.Request, _ []byte) {
		stamp(w.Header(), testKeys().merchant, testKeyID, body, time.Now())
		w.WriteHeader(403)
		_, _ = io.WriteString(w, body)
	})
	if a := newClient(t, testConfig(srv.URL)).Pay(t.Context(), transferPayout()); a.Verdict != flow.Unknown {
		t.Errorf("%+v", a)
	}
}

// A merchant of before the public key: answers signed by the platform
// certificate, names sealed with it, and the header names it.
func TestPlatformCertificateMode(t *testing.T) {
	k := testKeys()
	body := `{"out_bill_no":"T20260102A1","transfer_bill_no":"1","state":"ACCEPTED"}`
	srv := serve(t, func(w http.ResponseWriter, r *http.Request, raw []byte) {
		var req struct {
			Name string `json:"user_name"`
		}
		if err := json.Unmarshal(raw, &req); err != nil || openOAEP(t, k.old, req.Name) != "张三丰" ||
			r.Header.Get("Wechatpay-Serial") != "ABCDEF0123" {
			t.Errorf("%v %s", err, r.Header)
		}
		stamp(w.Header(), k.old, "ABCDEF0123", body, time.Now())
		_, _ = io.WriteString(w, body)
	})
	cfg := testConfig(srv.URL)
	cfg.Secrets["platform_certs"], cfg.Secrets["public_key"], cfg.Secrets["public_key_id"] = k.certPEM, "", ""
	if a := newClient(t, cfg).Pay(t.Context(), transferPayout()); a.Verdict != flow.Done || a.State != refund.PayoutProcessing {
		t.Errorf("%+v", a)
	}
}

// One client serves many calls at once.
func TestManyPayoutsAtOnce(t *testing.T) {
	srv := serve(t, func(w http.ResponseWriter, _ *http.Request, raw []byte) {
		var req transferRequest
		if err := json.Unmarshal(raw, &req); err != nil {
			t.Error(err)
		}
		answer(w, 200, `{"out_bill_no":"`+req.No+`","transfer_bill_no":"B`+req.No+`","state":"ACCEPTED"}`)
	})
	c := newClient(t, testConfig(srv.URL))
	var all sync.WaitGroup
	begin := time.Now()
	for i := range 200 {
		all.Go(func() {
			p := transferPayout()
			p.No = fmt.Sprint("T", i)
			if a := c.Pay(t.Context(), p); a.Verdict != flow.Done || a.ChannelNo != "B"+p.No {
				t.Errorf("%s: %+v", p.No, a)
			}
		})
	}
	all.Wait()
	t.Logf("200 payouts in %v", time.Since(begin))
}
