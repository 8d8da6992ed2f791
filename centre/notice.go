package centre

import (
	"errors"

	"hospay/payment"
)

// Notice is what 6302 tells. It is a hint: whoever gets it asks with 6301
// before anything follows, and a notice that is not Proven is nothing more than
// the reason to ask.
type Notice struct {
	PayOrdID  string
	MedOrgOrd string
	Proven    bool // signed by the centre
	payment.Split
	Told bool // amounts were told and fit
	payment.Settlement
}

// ErrNotice is why a notice is not read.
var ErrNotice = errors.New("centre: notice cannot be trusted")

// ReadNotice reads the body of a 6302. Where notices are signed, one that is not
// is refused; where they are plain, nothing of it is proven.
func (c *Client) ReadNotice(body []byte) (n Notice, err error) {
	defer func() {
		if recover() != nil {
			n, err = Notice{}, ErrNotice
		}
	}()
	if len(body) > maxAnswer {
		return Notice{}, ErrNotice
	}
	d, err := c.noticeData(body)
	if err != nil {
		return Notice{}, err
	}
	n = Notice{PayOrdID: d.text("payOrdId"), MedOrgOrd: d.text("medOrgOrd"), Proven: c.region.NoticeForm == NoticeSealed,
		Settlement: settlement(d)}
	if n.PayOrdID == "" || !orderNo.MatchString(n.MedOrgOrd) {
		return Notice{}, ErrNotice
	}
	if split, told, err := readSplit(d, c.region); told && err == nil {
		n.Split, n.Told = split, true
	}
	return n, nil
}

func (c *Client) noticeData(body []byte) (record, error) {
	if c.region.NoticeForm == NoticePlain {
		v, err := parse(body)
		m, ok := v.(map[string]any)
		if err != nil || !ok {
			return nil, ErrNotice
		}
		return dataOf(m), nil
	}
	o, err := c.open(body, c.region.noticeAge())
	if err != nil || !o.Signed {
		return nil, errors.Join(ErrNotice, err)
	}
	return o.Data, nil
}

// Reply is what a notice is answered with; the status is always 200.
type Reply struct {
	Type string // content type, empty without a body
	Body []byte
}

// Acknowledgement is the region's answer to a notice that was stored.
func (c *Client) Acknowledgement() (Reply, error) {
	const json = "application/json;charset=UTF-8"
	switch c.region.NoticeReply {
	case ReplyEmpty:
		return Reply{}, nil
	case ReplyJSON:
		return Reply{json, []byte(`{"code":"0","success":true,"message":"成功"}`)}, nil
	}
	body, err := c.seal(sealed{Code: "0", Success: true, Message: "成功"}, nil)
	return Reply{json, body}, err
}
