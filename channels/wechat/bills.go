package wechat

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/url"
	"strings"
	"time"

	"hospay/channels"
	"hospay/internal/foreign"
	"hospay/internal/wire"

	"github.com/wechatpay-apiv3/wechatpay-go/core"
)

// The bills of WeChat Pay. Transfers are only in the fund-flow bill of the
// account that pays them, normally the operation account (运营账户).
const (
	BillOperation channels.BillKind = "fundflow_operation"
	BillBasic     channels.BillKind = "fundflow_basic"
	BillTrade     channels.BillKind = "trade"
)

// maxPlain caps the uncompressed size of a bill.
const maxPlain = 8 << 30

// billLink answers the request for a bill.
type billLink struct {
	HashType  string `json:"hash_type"`
	HashValue string `json:"hash_value"`
	URL       string `json:"download_url"`
}

// DownloadBill streams the gzip file to w and checks WeChat's digest over the
// uncompressed text. What was written counts only when the error is nil.
func (c *Client) DownloadBill(ctx context.Context, day string, kind channels.BillKind, w io.Writer) (b channels.Bill, err error) {
	defer channels.RecoverError(&err, channels.ErrUnavailable)
	ctx, cancel := wire.WithDeadline(ctx, wire.DownloadTimeout)
	defer cancel()
	path, err := billPath(day, kind)
	if err != nil {
		return b, err
	}
	var link billLink
	if err := c.get(ctx, path, &link); err != nil {
		return b, billError(err)
	}
	if link.HashType != "SHA1" || link.HashValue == "" {
		return b, fmt.Errorf("%w: digest of the bill is missing", channels.ErrUnavailable)
	}
	res, err := c.files.Get(ctx, link.URL)
	if err != nil {
		return b, billError(err)
	}
	defer res.Response.Body.Close()
	b, err = storeBill(res.Response.Body, w, link.HashValue)
	if b.Name != "" {
		b.Name = "wechat_" + string(kind) + "_" + day + b.Name
	}
	return b, err
}

func billPath(day string, kind channels.BillKind) (string, error) {
	if _, err := time.Parse(time.DateOnly, day); err != nil {
		return "", errors.New("wechat: day of a bill must be yyyy-MM-dd")
	}
	q := url.Values{"bill_date": {day}, "tar_type": {"GZIP"}}
	switch kind {
	case BillOperation:
		q.Set("account_type", "OPERATION")
	case BillBasic:
		q.Set("account_type", "BASIC")
	case BillTrade:
		q.Set("bill_type", "ALL")
		return "/v3/bill/tradebill?" + q.Encode(), nil
	default:
		return "", fmt.Errorf("%w: bill kind", channels.ErrNotSupported)
	}
	return "/v3/bill/fundflowbill?" + q.Encode(), nil
}

// storeBill copies the file as it comes. A plain file, sent although gzip was
// asked for, is taken too: the digest is over the same text.
func storeBill(body io.Reader, w io.Writer, digest string) (channels.Bill, error) {
	sum, count := sha256.New(), &counter{}
	in := bufio.NewReader(body)
	magic, _ := in.Peek(2)
	raw := io.TeeReader(in, io.MultiWriter(w, sum, count))
	plain, name := io.Reader(raw), ".csv"
	if bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		z, err := gzip.NewReader(raw)
		if err != nil {
			return channels.Bill{}, channels.Unavailable(err)
		}
		plain, name = z, ".csv.gz"
	}
	told := sha1.New()
	if err := copyAll(told, plain, raw); err != nil {
		return channels.Bill{}, channels.Unavailable(err)
	}
	if !strings.EqualFold(hexSum(told), digest) {
		return channels.Bill{}, fmt.Errorf("%w: digest of the bill differs", channels.ErrUnavailable)
	}
	return channels.Bill{Name: name, Hash: hexSum(sum), Size: count.n, Source: "SHA1:" + strings.ToLower(digest)}, nil
}

// copyAll reads plain into dst up to the cap, then whatever raw still holds.
func copyAll(dst io.Writer, plain, raw io.Reader) error {
	n, err := io.Copy(dst, io.LimitReader(plain, maxPlain+1))
	if err != nil {
		return err
	}
	if n > maxPlain {
		return wire.ErrTooLarge
	}
	_, err = io.Copy(io.Discard, raw)
	return err
}

// billError reads the errors of both bill calls.
func billError(err error) error {
	var e *core.APIError
	if errors.As(err, &e) {
		switch e.Code {
		case "NO_STATEMENT_EXIST":
			return channels.ErrBillEmpty
		case "STATEMENT_CREATING":
			return channels.ErrBillNotReady
		}
		return fmt.Errorf("%w: %s", channels.ErrUnavailable, foreign.Scrub(e.Code))
	}
	return channels.Unavailable(err)
}

func hexSum(h hash.Hash) string { return hex.EncodeToString(h.Sum(nil)) }

// counter counts what is written to it.
type counter struct{ n int64 }

// Write counts.
func (c *counter) Write(p []byte) (int, error) {
	c.n += int64(len(p))
	return len(p), nil
}
