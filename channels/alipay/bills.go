package alipay

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"hospay/channels"
	"hospay/internal/foreign"
	"hospay/internal/wire"
)

// The bills of Alipay. Transfers are only in the ledger (账务), trades and their
// refunds in the trade bill.
const (
	BillLedger channels.BillKind = "signcustomer"
	BillTrade  channels.BillKind = "trade"
)

const methodBill = "alipay.data.dataservice.bill.downloadurl.query"

type billLink struct {
	head
	URL      string `json:"bill_download_url"`
	FileCode string `json:"bill_file_code"`
}

// DownloadBill streams the ZIP to w: its link lives 30 seconds, so it is used
// at once. What was written counts only when the error is nil.
func (c *Client) DownloadBill(ctx context.Context, day string, kind channels.BillKind, w io.Writer) (b channels.Bill, err error) {
	defer channels.RecoverError(&err, channels.ErrUnavailable)
	ctx, cancel := wire.WithDeadline(ctx, wire.DownloadTimeout)
	defer cancel()
	if _, err := time.Parse(time.DateOnly, day); err != nil {
		return b, errors.New("alipay: day of a bill must be yyyy-MM-dd")
	}
	if kind != BillLedger && kind != BillTrade {
		return b, fmt.Errorf("%w: bill kind", channels.ErrNotSupported)
	}
	var link billLink
	if err := c.call(ctx, methodBill, map[string]any{"bill_type": string(kind), "bill_date": day}, nil, &link); err != nil {
		return b, channels.Unavailable(err)
	}
	if link.Code != codeDone {
		return b, billError(link.head)
	}
	if link.FileCode == "EMPTY_DATA_WITH_BILL_FILE" {
		return b, channels.ErrBillEmpty
	}
	body, err := c.download(ctx, link.URL)
	if err != nil {
		return b, err
	}
	defer body.Close()
	b, err = storeZip(body, w)
	b.Name = "alipay_" + string(kind) + "_" + day + ".csv.zip"
	return b, err
}

// billError reads the refusals of the bill link.
func billError(h head) error {
	switch h.SubCode {
	case "NO_BILL_DATA", "BILL_DATE_BEFORE_REGISTRATION":
		return channels.ErrBillEmpty
	case "BILL_NOT_EXIST", "SYSTEM_RATE_LIMIT", "USER_RATE_LIMIT":
		return channels.ErrBillNotReady
	}
	return unavailable(h)
}

// unavailable names the code of a refusal and nothing else of it.
func unavailable(h head) error {
	return fmt.Errorf("%w: %s", channels.ErrUnavailable, foreign.Scrub(h.name()))
}

// download opens a file link, which needs no signature.
func (c *Client) download(ctx context.Context, link string) (io.ReadCloser, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, link, nil)
	if err != nil {
		return nil, fmt.Errorf("%w: link of the file", channels.ErrUnavailable)
	}
	resp, err := c.files.Do(req)
	if err != nil {
		return nil, channels.Unavailable(wire.Bare(err))
	}
	if resp.StatusCode != http.StatusOK {
		resp.Body.Close()
		return nil, channels.Unavailable(errStatus)
	}
	return resp.Body, nil
}

func storeZip(body io.Reader, w io.Writer) (channels.Bill, error) {
	in := bufio.NewReader(body)
	if magic, _ := in.Peek(2); !bytes.Equal(magic, []byte("PK")) {
		return channels.Bill{}, fmt.Errorf("%w: bill is not a ZIP file", channels.ErrUnavailable)
	}
	sum := sha256.New()
	n, err := io.Copy(io.MultiWriter(w, sum), in)
	if err != nil {
		return channels.Bill{}, channels.Unavailable(err)
	}
	return channels.Bill{Hash: hex.EncodeToString(sum.Sum(nil)), Size: n}, nil
}
