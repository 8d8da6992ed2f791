package alipay_test

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/x509"
	"encoding/pem"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-pay/gopay"
	pay "github.com/go-pay/gopay/alipay"
	"golang.org/x/text/encoding/simplifiedchinese"

	"hospay/internal/testday"
	"hospay/sim/alipay"
	"hospay/sim/world"
)

func TestTradeAndRefund(t *testing.T) {
	r := setup(t)
	ctx := context.Background()
	p := r.world.Find("P0001")
	r.cert.SetNotifyUrl(r.notify)
	bm := gopay.BodyMap{"out_trade_no": "TR1", "total_amount": "10.00", "subject": "门诊缴费", "buyer_id": p.AlipayUserID}
	if rsp, err := r.cert.TradeCreate(ctx, bm); err != nil || rsp.Response.TradeNo == "" {
		t.Fatalf("%v %+v", err, rsp)
	}
	if err := r.Pay("TR1"); err != nil {
		t.Fatal(err)
	}
	if ok, err := pay.VerifySignWithCert([]byte(r.cfg.AlipayCert), bodyMap(r.notices(1)[0])); err != nil || !ok {
		t.Fatal(ok, err)
	}
	refund := func(no, amount string) (*pay.TradeRefundResponse, error) {
		return r.cert.TradeRefund(ctx, gopay.BodyMap{"out_trade_no": "TR1", "refund_amount": amount, "out_request_no": no})
	}
	first, err := refund("RF1", "4.00")
	if err != nil || first.Response.FundChange != "Y" || first.Response.RefundFee != "4.00" {
		t.Fatalf("%v %+v", err, first)
	}
	if again, err := refund("RF1", "4.00"); err != nil || again.Response.FundChange != "N" || len(r.Ledger().Find("refund", "RF1")) != 1 {
		t.Fatalf("%v %+v", err, again)
	}
	for no, c := range map[string][2]string{"RF1": {"4.01", "DISCORDANT_REPEAT_REQUEST"}, "RF2": {"6.01", "REFUND_AMT_NOT_EQUAL_TOTAL"}} {
		if _, err := refund(no, c[0]); err == nil || !strings.Contains(err.Error(), c[1]) {
			t.Errorf("%s: %v", no, err)
		}
	}
	check := func() string {
		rsp, err := r.cert.TradeFastPayRefundQuery(ctx, gopay.BodyMap{"out_trade_no": "TR1", "out_request_no": "RF1"})
		if err != nil {
			t.Fatal(err)
		}
		return rsp.Response.RefundStatus
	}
	if got := check(); got != "" {
		t.Error("within 10 seconds the query says nothing, got", got)
	}
	r.Clock().Advance(11 * time.Second)
	if got := check(); got != "REFUND_SUCCESS" {
		t.Error(got)
	}
	for _, d := range r.world.Card("C0001").Deposits {
		if d.Method == world.Alipay && testday.Now().Sub(d.PaidAt) < 300*24*time.Hour {
			if rsp, err := r.cert.TradeRefund(ctx, gopay.BodyMap{"trade_no": d.TransactionID, "refund_amount": "1.00",
				"out_request_no": "DEP"}); err != nil || rsp.Response.RefundFee != "1.00" {
				t.Errorf("%v %+v", err, rsp)
			}
		}
	}
}

func bodyMap(v url.Values) gopay.BodyMap {
	b := gopay.BodyMap{}
	for k := range v {
		b[k] = v.Get(k)
	}
	return b
}

func TestBillsAndReceipt(t *testing.T) {
	r := setup(t)
	ctx := context.Background()
	first, err := r.cert.FundTransUniTransfer(ctx, r.form("BILL1", "12.34", "P0001"))
	if err != nil {
		t.Fatal(err)
	}
	day := r.Clock().Now().Format(time.DateOnly)
	ask := gopay.BodyMap{"bill_type": "signcustomer", "bill_date": day}
	if _, err := r.cert.DataBillDownloadUrlQuery(ctx, ask); err == nil || !strings.Contains(err.Error(), "BILL_NOT_EXIST") {
		t.Fatal("never the current day:", err)
	}
	r.Clock().Advance(36 * time.Hour)
	rsp, err := r.cert.DataBillDownloadUrlQuery(ctx, ask)
	if err != nil {
		t.Fatal(err)
	}
	text := unzip(t, rsp.Response.BillDownloadUrl, "_账务明细.csv")
	if !strings.Contains(text, ",BILL1\t,") || !strings.Contains(text, ",0.00,-12.34,") || !strings.Contains(text, ",转账,预交金退款\r\n") ||
		!strings.Contains(text, "#支出合计：1笔，共12.34元") {
		t.Fatal(text)
	}
	empty, err := r.cert.DataBillDownloadUrlQuery(ctx, gopay.BodyMap{"bill_type": "trade", "bill_date": day})
	if err != nil || !strings.Contains(unzip(t, empty.Response.BillDownloadUrl, "_业务明细.csv"), "支付宝交易号") {
		t.Fatalf("%v %+v", err, empty)
	}
	r.Clock().Advance(31 * time.Second)
	if res, err := http.Get(rsp.Response.BillDownloadUrl); err != nil || res.StatusCode == 200 {
		t.Fatal("the address lives 30 seconds", err)
	}
	log, err := r.cert.DataBillAccountLogQuery(ctx, gopay.BodyMap{"start_time": day + " 00:00:00", "end_time": day + " 23:59:59"})
	if err != nil || len(log.Response.DetailList) != 1 {
		t.Fatalf("%v %+v", err, log)
	}
	a, err := r.cert.DataBillEreceiptApply(ctx, gopay.BodyMap{"type": "FUND_DETAIL", "key": first.Response.OrderId})
	if err != nil {
		t.Fatal(err)
	}
	r.Clock().Advance(time.Minute)
	q, err := r.cert.DataBillEreceiptQuery(ctx, gopay.BodyMap{"file_id": a.Response.FileId})
	if err != nil || q.Response.Status != "SUCCESS" {
		t.Fatalf("%v %+v", err, q)
	}
	if pdf := get(t, q.Response.DownloadUrl); !bytes.HasPrefix(pdf, []byte("%PDF-1.4")) {
		t.Fatalf("%q", pdf)
	}
}

func get(t *testing.T, address string) []byte {
	t.Helper()
	res, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	raw, _ := io.ReadAll(res.Body)
	return raw
}

// unzip reads the member whose GBK name ends so.
func unzip(t *testing.T, address, suffix string) string {
	t.Helper()
	raw := get(t, address)
	z, err := zip.NewReader(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		t.Fatalf("%v %q", err, raw)
	}
	for _, f := range z.File {
		name, _ := simplifiedchinese.GBK.NewDecoder().String(f.Name)
		if f.NonUTF8 && strings.HasSuffix(name, suffix) {
			m, _ := f.Open()
			body, _ := io.ReadAll(simplifiedchinese.GBK.NewDecoder().Reader(m))
			return string(body)
		}
	}
	t.Fatalf("no %s in %d members", suffix, len(z.File))
	return ""
}

func TestNoticeIsResentUntilSuccess(t *testing.T) {
	r := setup(t)
	r.answer = "<html>login</html>"
	r.Settings().Update(func(s *alipay.Settings) error { s.GatewayURL, s.CallbackScale = r.notify, 0.0001; return nil })
	if _, err := r.cert.FundTransUniTransfer(context.Background(), r.form("N1", "1.00", "P0001")); err != nil {
		t.Fatal(err)
	}
	got := r.notices(3)
	if got[0].Get("notify_id") != got[2].Get("notify_id") {
		t.Fatal("a resend keeps its notify_id")
	}
	r.mu.Lock()
	r.answer = "success"
	r.mu.Unlock()
	time.Sleep(200 * time.Millisecond)
	n := len(r.notices(1))
	time.Sleep(300 * time.Millisecond)
	if len(r.notices(1)) > n+1 {
		t.Fatal("it must stop on success")
	}
}

// Clients may check that Alipay's certificate chains to the root that they stored.
func TestCertificateChain(t *testing.T) {
	r := setup(t)
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM([]byte(r.cfg.AlipayRootCert)) {
		t.Fatal("root")
	}
	for _, text := range []string{r.cfg.AlipayCert, r.cfg.AppCert} {
		block, _ := pem.Decode([]byte(text))
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Verify(x509.VerifyOptions{Roots: roots, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}}); err != nil {
			t.Error(err)
		}
	}
}

func TestTransfer_ManyAtOnceIsOne(t *testing.T) {
	r := setup(t)
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if _, err := r.cert.FundTransUniTransfer(context.Background(), r.form("P1", "1.00", "P0001")); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if r.Ledger().Len() != 1 {
		t.Fatal(r.Ledger().Entries())
	}
}
