package wechat

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/url"
	"strings"

	"hospay/channels"
	"hospay/internal/foreign"
	"hospay/internal/wire"

	"github.com/emmansun/gmsm/sm3"
	"github.com/wechatpay-apiv3/wechatpay-go/core"
)

const receiptPath = "/v3/fund-app/mch-transfer/elecsign/out-bill-no"

// maxReceipt caps a receipt.
const maxReceipt = 16 << 20

// receipt is WeChat's view of an electronic receipt (电子回单).
type receipt struct {
	State      string `json:"state"`
	HashType   string `json:"hash_type"`
	HashValue  string `json:"hash_value"`
	URL        string `json:"download_url"`
	FailReason string `json:"fail_reason"`
}

// Receipt applies for a receipt when token is empty, and follows it otherwise.
// WeChat makes receipts only of successful transfers that carried a name.
func (c *Client) Receipt(ctx context.Context, no, _, token string) (r channels.Receipt, err error) {
	defer channels.RecoverError(&err, channels.ErrUnavailable)
	ctx, cancel := wire.WithDeadline(ctx, c.timeout)
	defer cancel()
	if token != "" {
		return c.followReceipt(ctx, no)
	}
	var applied receipt
	err = c.post(ctx, receiptPath, map[string]string{"out_bill_no": no}, &applied)
	if err == nil && applied.State != "GENERATING" && applied.State != "FINISHED" {
		return r, fmt.Errorf("%w: state of the receipt", channels.ErrUnavailable)
	}
	if err == nil {
		return channels.Receipt{State: channels.ReceiptGenerating, Token: no}, nil
	}
	// A receipt that was applied for before is refused; the query tells.
	var refused *core.APIError
	if errors.As(err, &refused) && refused.StatusCode/100 == 4 {
		if r, err := c.followReceipt(ctx, no); err == nil {
			return r, nil
		}
	}
	return r, billError(err)
}

func (c *Client) followReceipt(ctx context.Context, no string) (channels.Receipt, error) {
	var r receipt
	if err := c.get(ctx, receiptPath+"/"+url.PathEscape(no), &r); err != nil {
		return channels.Receipt{}, billError(err)
	}
	switch r.State {
	case "FINISHED":
		pdf, err := c.fetchReceipt(ctx, r)
		if err != nil {
			return channels.Receipt{}, err
		}
		return channels.Receipt{State: channels.ReceiptReady, Token: no, PDF: pdf}, nil
	case "FAILED":
		return channels.Receipt{State: channels.ReceiptFailed, Token: no, Message: foreign.Scrub(r.FailReason)}, nil
	case "GENERATING":
		return channels.Receipt{State: channels.ReceiptGenerating, Token: no}, nil
	}
	return channels.Receipt{}, fmt.Errorf("%w: state of the receipt", channels.ErrUnavailable)
}

// fetchReceipt downloads the PDF and checks its digest: the download itself is
// not signed, the answer that told the digest was.
func (c *Client) fetchReceipt(ctx context.Context, r receipt) ([]byte, error) {
	sums := map[string]func() hash.Hash{"SHA256": sha256.New, "SM3": sm3.New}
	newSum, ok := sums[r.HashType]
	if !ok {
		return nil, fmt.Errorf("%w: digest of the receipt is missing", channels.ErrUnavailable)
	}
	res, err := c.files.Get(ctx, r.URL)
	if err != nil {
		return nil, billError(err)
	}
	defer res.Response.Body.Close()
	pdf, err := io.ReadAll(io.LimitReader(res.Response.Body, maxReceipt+1))
	if err != nil {
		return nil, channels.Unavailable(err)
	}
	sum := newSum()
	sum.Write(pdf)
	if len(pdf) > maxReceipt || !bytes.HasPrefix(pdf, []byte("%PDF")) || !strings.EqualFold(hexSum(sum), r.HashValue) {
		return nil, fmt.Errorf("%w: receipt is damaged", channels.ErrUnavailable)
	}
	return pdf, nil
}
