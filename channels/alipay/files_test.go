package alipay

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"hospay/channels"
	"hospay/refund"
)

func zipped(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	f, err := z.Create("x.csv")
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(f, strings.Repeat("row\n", 1000))
	z.Close()
	return b.Bytes()
}

func TestDownloadBill(t *testing.T) {
	file := zipped(t)
	for _, row := range []struct {
		say  string
		file []byte
		want error
	}{
		{`{"code":"10000","bill_download_url":"http://dwbillcenter.alipay.com/downloadBillFile.resource?downloadFileName=x.csv.zip"}`, file, nil},
		{`{"code":"10000","bill_download_url":"http://dwbillcenter.alipay.com/x"}`, []byte("<html>expired</html>"), channels.ErrUnavailable},
		{`{"code":"10000","bill_download_url":"https://evil.example/x"}`, file, channels.ErrUnavailable},
		{`{"code":"10000","bill_download_url":""}`, file, channels.ErrUnavailable},
		{`{"code":"10000","bill_download_url":"http://dwbillcenter.alipay.com/x","bill_file_code":"EMPTY_DATA_WITH_BILL_FILE"}`, file,
			channels.ErrBillEmpty},
		{failure("40004", "NO_BILL_DATA"), file, channels.ErrBillEmpty},
		{failure("40004", "BILL_NOT_EXIST"), file, channels.ErrBillNotReady},
		{failure("40004", "USER_RATE_LIMIT"), file, channels.ErrBillNotReady},
		{failure("40004", "INVAILID_ARGUMENTS"), file, channels.ErrUnavailable},
	} {
		srv := serve(t, func(w http.ResponseWriter, form url.Values) {
			if form.Has("file") {
				_, _ = w.Write(row.file)
				return
			}
			if form.Get("biz_content") != `{"bill_date":"2026-01-02","bill_type":"signcustomer"}` {
				t.Error(form)
			}
			answer(w, form.Get("method"), row.say)
		})
		var out bytes.Buffer
		b, err := newClient(t, testConfig(srv.URL)).DownloadBill(t.Context(), "2026-01-02", BillLedger, &out)
		if !errors.Is(err, row.want) {
			t.Errorf("%s: %v", row.say, err)
		}
		if row.want == nil && (b.Size != int64(len(file)) || len(b.Hash) != 64 || b.Name != "alipay_signcustomer_2026-01-02.csv.zip" ||
			!bytes.Equal(out.Bytes(), file)) {
			t.Errorf("%+v", b)
		}
	}
	c := always(t, "{}")
	if _, err := c.DownloadBill(t.Context(), "2026-01-02", "fundflow_basic", io.Discard); !errors.Is(err, channels.ErrNotSupported) {
		t.Error(err)
	}
	if _, err := c.DownloadBill(t.Context(), "x", BillTrade, io.Discard); err == nil {
		t.Error("bad day")
	}
}

func TestReceipt(t *testing.T) {
	say := `{"code":"10000","file_id":"F1"}`
	srv := serve(t, func(w http.ResponseWriter, form url.Values) {
		switch {
		case form.Has("file"):
			_, _ = io.WriteString(w, "%PDF-1.4")
		case form.Get("method") == methodReceiptApply && form.Get("biz_content") != `{"key":"9","type":"FUND_DETAIL"}`:
			t.Error(form)
		default:
			answer(w, form.Get("method"), say)
		}
	})
	c := newClient(t, testConfig(srv.URL))
	r, err := c.Receipt(t.Context(), "T1", "9", "")
	if err != nil || r.Token != "F1" || r.State != channels.ReceiptGenerating {
		t.Fatalf("%+v, %v", r, err)
	}
	for status, want := range map[string]channels.ReceiptState{"INIT": channels.ReceiptGenerating, "PROCESS": channels.ReceiptGenerating,
		"SUCCESS": channels.ReceiptReady, "FAIL": channels.ReceiptFailed} {
		say = fmt.Sprintf(`{"code":"10000","status":%q,"download_url":"https://mdn.alipay.com/r.pdf","error_message":"无数据"}`, status)
		r, err := c.Receipt(t.Context(), "T1", "9", "F1")
		if err != nil || r.State != want || (want == channels.ReceiptReady) != (len(r.PDF) > 0) {
			t.Errorf("%s: %+v, %v", status, r, err)
		}
	}
	say = failure("40004", "BIZ_ERROR")
	if _, err := c.Receipt(t.Context(), "T1", "9", "F1"); !errors.Is(err, channels.ErrUnavailable) {
		t.Error(err)
	}
	if _, err := c.Receipt(t.Context(), "T1", "", ""); err == nil {
		t.Error("no channel number")
	}
}

func TestExchange(t *testing.T) {
	for _, row := range []struct {
		say  string
		want channels.Account
		err  error
	}{
		{`{"alipay_system_oauth_token_response":%s,"sign":"%s"}|{"user_id":"2088123","access_token":"a","expires_in":3600}`,
			channels.Account{ID: "2088123", Type: refund.AccountAlipayUserID}, nil},
		{`{"alipay_system_oauth_token_response":%s,"sign":"%s"}|{"open_id":"o1","access_token":"a","expires_in":3600}`,
			channels.Account{ID: "o1", Type: refund.AccountAlipayOpenID}, nil},
		{`{"alipay_system_oauth_token_response":%s,"sign":"%s"}|{"access_token":"a"}`, channels.Account{}, channels.ErrUnavailable},
		{`{"error_response":%s,"sign":"%s"}|{"code":"40002","sub_code":"isv.code-invalid","sub_msg":"x"}`, channels.Account{},
			channels.ErrBadCode},
		{`{"error_response":%s,"sign":"%s"}|{"code":"20000","sub_code":"isp.unknow-error"}`, channels.Account{}, channels.ErrUnavailable},
		{`{"alipay_system_oauth_token_response":%s,"x":"%s"}|{"user_id":"2088123"}`, channels.Account{}, channels.ErrUnavailable},
	} {
		outer, inner, _ := strings.Cut(row.say, "|")
		srv := serve(t, func(w http.ResponseWriter, form url.Values) {
			if form.Get("grant_type") != "authorization_code" || form.Get("code") != "C1" || form.Has("biz_content") {
				t.Error(form)
			}
			fmt.Fprintf(w, outer, inner, sign(testKeys().alipay, inner))
		})
		if a, err := newClient(t, testConfig(srv.URL)).Exchange(t.Context(), "C1"); !errors.Is(err, row.err) || a != row.want {
			t.Errorf("%s: %+v, %v", row.say, a, err)
		}
	}
	want := "https://openauth.alipay.com/oauth2/publicAppAuthorize.htm?app_id=2021000000000001&redirect_uri=https%3A%2F%2Fh.example%2F&" +
		"scope=auth_base&state=s"
	if got := newClient(t, testConfig("")).AuthorizeURL("https://h.example/", "s"); got != want {
		t.Error(got)
	}
}

func TestSendMessage(t *testing.T) {
	m := channels.Message{To: channels.Account{ID: "2088123", Type: refund.AccountAlipayUserID}, Template: "TPL",
		Page: "https://h/?inst=a#/r/1", ID: "M1",
		Data: map[string]string{"keyword1": "v", "form_id": "F"}}
	for kind, want := range map[string]string{
		"mini": methodMini + `{"data":"{\"keyword1\":{\"value\":\"v\"}}","form_id":"F",` +
			`"page":"pages/web?u=https%3A%2F%2Fh%2F%3Finst%3Da%23%2Fr%2F1","to_user_id":"2088123",` +
			`"user_template_id":"TPL"}`,
		"public": methodPublic +
			`{"template":{"context":{"action_name":"查看详情","form_id":{"color":"#333333","value":"F"},"head_color":"#1677FF",` +
			`"keyword1":{"color":"#333333","value":"v"},"url":"https://h/?inst=a#/r/1"},"template_id":"TPL"},"to_user_id":"2088123"}`,
	} {
		srv := serve(t, func(w http.ResponseWriter, form url.Values) {
			if got := form.Get("method") + form.Get("biz_content"); got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
			answer(w, form.Get("method"), `{"code":"10000","msg":"Success"}`)
		})
		cfg := testConfig(srv.URL)
		cfg.Settings["message_kind"] = kind
		if err := newClient(t, cfg).CanMessage(); (err == nil) != (kind == "public") {
			t.Errorf("%s without a page: %v", kind, err)
		}
		cfg.Settings["message_page"] = "pages/web?u={url}"
		if err := newClient(t, cfg).CanMessage(); err != nil {
			t.Error(err)
		}
		if id, err := newClient(t, cfg).SendMessage(t.Context(), m); err != nil || id != "M1" {
			t.Error(id, err)
		}
	}
	if _, err := always(t, failure("40004", "MSG_UNSUBSCRIBED")).SendMessage(t.Context(), m); !errors.Is(err, channels.ErrMessageRefused) {
		t.Error(err)
	}
	if _, err := always(t, failure("40004", "SYSTEM_ERROR")).SendMessage(t.Context(), m); !errors.Is(err, channels.ErrUnavailable) {
		t.Error(err)
	}
}

func TestNew_NamesEveryMistake(t *testing.T) {
	k := testKeys()
	for name, row := range map[string]struct {
		spoil func(*channels.Config)
		want  string
	}{
		"空配置":   {func(c *channels.Config) { *c = channels.Config{} }, "AppID"},
		"没有私钥":  {func(c *channels.Config) { c.Secrets["private_key"] = "" }, "应用私钥"},
		"没有根证书": {func(c *channels.Config) { c.Secrets["alipay_root_cert"] = "" }, "支付宝根证书"},
		"证书不成对": {func(c *channels.Config) { c.Secrets["app_cert"] = k.alipayCert }, "不是一对"},
		"两种模式":  {func(c *channels.Config) { c.Secrets["alipay_public_key"] = "x" }, "只能选一种"},
		"坏公钥":   {func(c *channels.Config) { *c = keyConfig(""); c.Secrets["alipay_public_key"] = "x" }, "支付宝公钥"},
		"坏密钥":   {func(c *channels.Config) { c.Secrets["encrypt_key"] = "abc" }, "内容加密密钥"},
		"地址":    {func(c *channels.Config) { c.APIBase = "openapi.alipay.com" }, "接口地址"},
		"开关":    {func(c *channels.Config) { c.Settings["show_alias"] = "yes" }, "show_alias"},
	} {
		cfg := testConfig("")
		row.spoil(&cfg)
		if _, err := New(cfg); err == nil || !strings.Contains(err.Error(), row.want) || strings.Contains(err.Error(), "BEGIN") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if c := newClient(t, testConfig("https://openapi.alipay.com/gateway.do")); c.APIBase != apiBase || c.oauth != oauthBase {
		t.Errorf("%s %s", c.APIBase, c.oauth)
	}
}

// Alipay's file brings the issuers along; their keys must not sign answers.
func TestCertificateBundle(t *testing.T) {
	k := testKeys()
	for _, bundle := range []string{k.alipayCert + k.rootCert, k.rootCert + k.alipayCert} {
		cfg := testConfig("")
		cfg.Secrets["alipay_cert"] = bundle
		c := newClient(t, cfg)
		if len(c.alipayCerts) != 1 {
			t.Errorf("%d certificates", len(c.alipayCerts))
		}
		if _, err := c.ParseCallback(t.Context(), nil, notification(k.alipay, message(paid))); err != nil {
			t.Error(err)
		}
	}
}
