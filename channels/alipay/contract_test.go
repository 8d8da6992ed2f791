package alipay

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"hospay/channels"
	"hospay/channels/channeltest"
	"hospay/flow"
	"hospay/payment"
	"hospay/refund"
)

func methodOf(r *http.Request) string {
	body, _ := io.ReadAll(r.Body)
	form, _ := url.ParseQuery(string(body))
	return form.Get("method")
}

const transferred = `{"code":"10000","msg":"Success","out_biz_no":"T20260102A1","order_id":"20260102110070000006380000250621",` +
	`"pay_fund_order_id":"1","status":"SUCCESS","trans_date":"2026-01-02 03:04:05"}`

func TestChannelContract(t *testing.T) {
	for name, config := range map[string]func(string) channels.Config{"certificates": testConfig, "public key": keyConfig} {
		t.Run(name, func(t *testing.T) {
			k := testKeys()
			channeltest.Run(t, channeltest.Kit{
				New: func(t testing.TB, base string) channels.Channel {
					return newClient(t, config(base))
				},
				Payouts:  []refund.Payout{transferPayout(), originalPayout()},
				Receiver: channels.Account{ID: "2088123", Type: refund.AccountAlipayUserID},
				Sign: func(w http.ResponseWriter, r *http.Request, body string) {
					fmt.Fprintf(w, `{"%s":%s,"sign":"%s"}`, wrapper(methodOf(r)), body, sign(k.alipay, body))
				},
				Unsigned: func(w http.ResponseWriter, r *http.Request) {
					fmt.Fprintf(w, `{"%s":%s}`, wrapper(methodOf(r)), transferred)
				},
				Forged: func(w http.ResponseWriter, r *http.Request) {
					reply(w, methodOf(r), transferred, k.app, k.alipaySN)
				},
				Unlisted: func(w http.ResponseWriter, r *http.Request) {
					body := `{"code":"40004","msg":"Business Failed","sub_code":"SOMETHING_NEW","sub_msg":"张三丰 13800138000 验签字符串为：name=李四"}`
					fmt.Fprintf(w, `{"%s":%s,"sign":"%s"}`, wrapper(methodOf(r)), body, sign(k.alipay, body))
				},
				Private: []string{"张三丰", "13800138000", "李四", "SECRETCODE", testPerson.IDNo, "AUTH44"},
				Payments: channeltest.Payments{Trades: []payment.Trade{knownTrade(), kioskTrade()}, Refund: tradeRefund(),
					Mixed: mixedOrder(), Ask: authorisationAsk()},
			})
		})
	}
}

// Whatever is not rightly signed is unknown, also where it names a refusal.
func TestAnswersWithDoubtfulSignatures(t *testing.T) {
	k := testKeys()
	for name, say := range map[string]func(w io.Writer, method string){
		"无签名的拒绝": func(w io.Writer, m string) {
			fmt.Fprintf(w, `{"%s":%s}`, wrapper(m), failure("40004", "PAYEE_NOT_EXIST"))
		},
		"error_response": func(w io.Writer, _ string) {
			fmt.Fprintf(w, `{"error_response":%s,"sign":"%s"}`, failure("40002", "isv.invalid-app-id"),
				sign(k.alipay, failure("40002", "isv.invalid-app-id")))
		},
		"空的 error": func(w io.Writer, _ string) { fmt.Fprint(w, `{"error_response":null}`) },
		"空的应答":     func(w io.Writer, m string) { fmt.Fprintf(w, `{"%s":null}`, wrapper(m)) },
		"空签名":      func(w io.Writer, m string) { fmt.Fprintf(w, `{"%s":%s,"sign":""}`, wrapper(m), transferred) },
		"未知证书":     func(w io.Writer, m string) { reply(w, m, transferred, k.other, k.otherSN) },
		"证书号对不上":   func(w io.Writer, m string) { reply(w, m, transferred, k.other, k.alipaySN) },
		"别的方法":     func(w io.Writer, _ string) { answer(w, "alipay.trade.query", transferred) },
		"残缺密文":     func(w io.Writer, m string) { answer(w, m, `"YWJj"`) },
	} {
		for _, aes := range []string{"", "MDEyMzQ1Njc4OWFiY2RlZg=="} {
			cfg := testConfig("")
			srv := serve(t, func(w http.ResponseWriter, form url.Values) {
				if form.Get("method") == "alipay.open.app.alipaycert.download" {
					t.Error("a certificate was downloaded")
				}
				say(w, form.Get("method"))
			})
			cfg.APIBase, cfg.Secrets["encrypt_key"] = srv.URL, aes
			c := newClient(t, cfg)
			for _, a := range []refund.PayoutAnswer{c.Pay(t.Context(), transferPayout()), c.Query(t.Context(), transferPayout())} {
				if a.Verdict != flow.Unknown || a.State != "" {
					t.Errorf("%s: %+v", name, a)
				}
			}
		}
	}
}

func TestAnswersWithOtherStatusAreUnknown(t *testing.T) {
	srv := serve(t, func(w http.ResponseWriter, form url.Values) {
		w.WriteHeader(http.StatusBadGateway)
		answer(w, form.Get("method"), transferred)
	})
	if a := newClient(t, testConfig(srv.URL)).Pay(t.Context(), transferPayout()); a.Verdict != flow.Unknown {
		t.Errorf("%+v", a)
	}
}

// Encrypted contents: the ciphertext is what is signed, quotes included.
func TestEncryptedContents(t *testing.T) {
	key := []byte("0123456789abcdef")
	block, err := aes.NewCipher(key)
	if err != nil {
		t.Fatal(err)
	}
	var biz string
	srv := serve(t, func(w http.ResponseWriter, form url.Values) {
		raw, _ := base64.StdEncoding.DecodeString(form.Get("biz_content"))
		cipher.NewCBCDecrypter(block, make([]byte, 16)).CryptBlocks(raw, raw)
		biz = form.Get("encrypt_type") + string(raw[:len(raw)-int(raw[len(raw)-1])])
		n := 16 - len(transferred)%16
		plain := append([]byte(transferred), bytes.Repeat([]byte{byte(n)}, n)...)
		cipher.NewCBCEncrypter(block, make([]byte, 16)).CryptBlocks(plain, plain)
		answer(w, form.Get("method"), `"`+base64.StdEncoding.EncodeToString(plain)+`"`)
	})
	cfg := testConfig(srv.URL)
	cfg.Secrets["encrypt_key"] = base64.StdEncoding.EncodeToString(key)
	a := newClient(t, cfg).Pay(t.Context(), transferPayout())
	if a.Verdict != flow.Done || a.State != refund.PayoutSucceeded || !strings.HasPrefix(biz, `AES{"biz_scene"`) {
		t.Errorf("%+v %s", a, biz)
	}
}
