package alipay

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"hospay/channels"
	"hospay/internal/foreign"
	"hospay/internal/wire"
)

const (
	methodReceiptApply = "alipay.data.bill.ereceipt.apply"
	methodReceiptQuery = "alipay.data.bill.ereceipt.query"
	maxReceipt         = 16 << 20
)

type receipt struct {
	head
	FileID  string `json:"file_id"`
	Status  string `json:"status"`
	URL     string `json:"download_url"`
	Message string `json:"error_message"`
}

// Receipt applies for the receipt (电子回单) of a transfer by Alipay's order
// number when token is empty, and follows the returned file id otherwise. A
// file id lives two days; after that start again without a token.
func (c *Client) Receipt(ctx context.Context, _, channelNo, token string) (r channels.Receipt, err error) {
	defer channels.RecoverError(&err, channels.ErrUnavailable)
	ctx, cancel := wire.WithDeadline(ctx, c.timeout)
	defer cancel()
	if token != "" {
		return c.followReceipt(ctx, token)
	}
	if channelNo == "" {
		return r, errors.New("alipay: a receipt needs the channel's number")
	}
	var out receipt
	if err := c.call(ctx, methodReceiptApply, map[string]any{"type": "FUND_DETAIL", "key": channelNo}, nil, &out); err != nil {
		return r, channels.Unavailable(err)
	}
	if out.Code != codeDone || out.FileID == "" {
		return r, unavailable(out.head)
	}
	return channels.Receipt{State: channels.ReceiptGenerating, Token: out.FileID}, nil
}

func (c *Client) followReceipt(ctx context.Context, token string) (channels.Receipt, error) {
	r := channels.Receipt{Token: token}
	var out receipt
	if err := c.call(ctx, methodReceiptQuery, map[string]any{"file_id": token}, nil, &out); err != nil {
		return r, channels.Unavailable(err)
	}
	if out.Code != codeDone {
		return r, unavailable(out.head)
	}
	switch out.Status {
	case "INIT", "PROCESS":
		r.State = channels.ReceiptGenerating
	case "FAIL":
		r.State, r.Message = channels.ReceiptFailed, foreign.Scrub(out.Message)
	case "SUCCESS":
		pdf, err := c.fetchReceipt(ctx, out.URL)
		if err != nil {
			return r, err
		}
		r.State, r.PDF = channels.ReceiptReady, pdf
	default:
		return r, fmt.Errorf("%w: status of the receipt", channels.ErrUnavailable)
	}
	return r, nil
}

func (c *Client) fetchReceipt(ctx context.Context, link string) ([]byte, error) {
	body, err := c.download(ctx, link)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	pdf, err := io.ReadAll(io.LimitReader(body, maxReceipt+1))
	if err != nil {
		return nil, channels.Unavailable(err)
	}
	if len(pdf) > maxReceipt || !bytes.HasPrefix(pdf, []byte("%PDF")) {
		return nil, fmt.Errorf("%w: receipt is not a PDF", channels.ErrUnavailable)
	}
	return pdf, nil
}
