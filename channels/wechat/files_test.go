package wechat

import (
	"bytes"
	"compress/gzip"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"hospay/channels"

	"github.com/emmansun/gmsm/sm3"
)

func gz(text string) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = io.WriteString(w, text)
	w.Close()
	return b.Bytes()
}

func hexOf(b []byte) string { return hex.EncodeToString(b) }

func TestDownloadBill(t *testing.T) {
	text := "记账时间,业务类型\n`2026-01-02 03:04:05,`退款\n"
	sum := sha1.Sum([]byte(text))
	for _, row := range []struct {
		name   string
		file   []byte
		digest string
		want   error
	}{
		{"压缩", gz(text), hexOf(sum[:]), nil},
		{"未压缩", []byte(text), strings.ToUpper(hexOf(sum[:])), nil},
		{"摘要不符", gz(text + "`x"), hexOf(sum[:]), channels.ErrUnavailable},
		{"截断", gz(text)[:20], hexOf(sum[:]), channels.ErrUnavailable},
		{"没有摘要", gz(text), "", channels.ErrUnavailable},
	} {
		srv := serve(t, func(w http.ResponseWriter, r *http.Request, _ []byte) {
			switch r.URL.Path {
			case "/v3/bill/fundflowbill":
				if q := r.URL.Query(); q.Get("bill_date") != "2026-01-02" || q.Get("account_type") != "OPERATION" || q.Get("tar_type") != "GZIP" {
					t.Error(r.URL)
				}
				answer(w, 200, `{"hash_type":"SHA1","hash_value":"`+row.digest+
					`","download_url":"https://api.mch.weixin.qq.com/v3/billdownload/file?token=x"}`)
			case "/v3/billdownload/file": // no signature on files
				_, _ = w.Write(row.file)
			default:
				t.Error(r.URL)
			}
		})
		var out bytes.Buffer
		b, err := newClient(t, testConfig(srv.URL)).DownloadBill(t.Context(), "2026-01-02", BillOperation, &out)
		if !errors.Is(err, row.want) {
			t.Errorf("%s: %v", row.name, err)
		}
		stored := sha256.Sum256(row.file)
		if row.want == nil && (b.Hash != hexOf(stored[:]) || b.Size != int64(len(row.file)) || b.Source != "SHA1:"+hexOf(sum[:]) ||
			!strings.HasPrefix(b.Name, "wechat_fundflow_operation_2026-01-02.csv") || !bytes.Equal(out.Bytes(), row.file)) {
			t.Errorf("%s: %+v", row.name, b)
		}
	}
}

func TestDownloadBill_Refusals(t *testing.T) {
	for code, want := range map[string]error{"NO_STATEMENT_EXIST": channels.ErrBillEmpty, "STATEMENT_CREATING": channels.ErrBillNotReady,
		"PARAM_ERROR": channels.ErrUnavailable} {
		srv := serve(t, func(w http.ResponseWriter, _ *http.Request, _ []byte) { refuse(w, 400, code, "m") })
		if _, err := newClient(t, testConfig(srv.URL)).DownloadBill(t.Context(), "2026-01-02", BillTrade, io.Discard); !errors.Is(err, want) {
			t.Errorf("%s: %v", code, err)
		}
	}
	srv := serve(t, func(w http.ResponseWriter, _ *http.Request, _ []byte) {
		answer(w, 200, `{"hash_type":"SHA1","hash_value":"aa","download_url":"http://169.254.169.254/latest"}`)
	})
	c := newClient(t, testConfig(srv.URL))
	if _, err := c.DownloadBill(t.Context(), "2026-01-02", BillBasic, io.Discard); !errors.Is(err, channels.ErrUnavailable) {
		t.Error(err)
	}
	if _, err := c.DownloadBill(t.Context(), "2026-01-02", "signcustomer", io.Discard); !errors.Is(err, channels.ErrNotSupported) {
		t.Error(err)
	}
	if _, err := c.DownloadBill(t.Context(), "20260102", BillTrade, io.Discard); err == nil {
		t.Error("bad day")
	}
}

func TestReceipt(t *testing.T) {
	pdf := []byte("%PDF-1.4 receipt")
	sum := sha256.Sum256(pdf)
	state, digest, applied := "GENERATING", hexOf(sum[:]), false
	srv := serve(t, func(w http.ResponseWriter, r *http.Request, body []byte) {
		switch {
		case r.Method == http.MethodPost && applied:
			refuse(w, 400, "INVALID_REQUEST", "已申请")
		case r.Method == http.MethodPost:
			applied = strings.Contains(string(body), `"out_bill_no":"T1"`)
			answer(w, 200, `{"state":"GENERATING","create_time":"2026-01-02T03:04:05+08:00"}`)
		case strings.HasPrefix(r.URL.Path, "/v3/transferbilldownload/"):
			_, _ = w.Write(pdf)
		default:
			answer(w, 200, fmt.Sprintf(`{"state":%q,"hash_type":"SHA256","hash_value":%q,`+
				`"download_url":"https://api.mch.weixin.qq.com/v3/transferbilldownload/elecvoucherfile?source=elecsign&token=x","fail_reason":"无姓名"}`,
				state, digest))
		}
	})
	c := newClient(t, testConfig(srv.URL))
	step := func(token string, want channels.ReceiptState) channels.Receipt {
		t.Helper()
		r, err := c.Receipt(t.Context(), "T1", "", token)
		if err != nil || r.State != want || r.Token == "" {
			t.Fatalf("%+v, %v", r, err)
		}
		return r
	}
	token := step("", channels.ReceiptGenerating).Token
	step("", channels.ReceiptGenerating) // applied for before: the query tells
	step(token, channels.ReceiptGenerating)
	state = "FINISHED"
	if r := step(token, channels.ReceiptReady); !bytes.Equal(r.PDF, pdf) {
		t.Errorf("%q", r.PDF)
	}
	digest = strings.Repeat("0", 64)
	if _, err := c.Receipt(t.Context(), "T1", "", token); !errors.Is(err, channels.ErrUnavailable) {
		t.Error(err)
	}
	state = "FAILED"
	if r := step(token, channels.ReceiptFailed); r.Message != "无姓名" {
		t.Errorf("%+v", r)
	}
}

func TestReceipt_SM3(t *testing.T) {
	pdf := []byte("%PDF-1.4 receipt")
	sum := sm3.Sum(pdf)
	srv := serve(t, func(w http.ResponseWriter, r *http.Request, _ []byte) {
		if strings.HasPrefix(r.URL.Path, "/v3/transferbilldownload/") {
			_, _ = w.Write(pdf)
			return
		}
		answer(w, 200, `{"state":"FINISHED","hash_type":"SM3","hash_value":"`+hexOf(sum[:])+
			`","download_url":"https://api.mch.weixin.qq.com/v3/transferbilldownload/x"}`)
	})
	if r, err := newClient(t, testConfig(srv.URL)).Receipt(t.Context(), "T1", "", "T1"); err != nil || !bytes.Equal(r.PDF, pdf) {
		t.Errorf("%+v, %v", r, err)
	}
}
