package checkup

import (
	"context"
	"errors"

	"hospay/centre"
)

// Centre asks the insurance centre for an order that cannot exist. A signed
// answer, whatever it says, proves address, signature and keys of both sides.
func Centre(ctx context.Context, c *centre.Client) *List {
	l := &List{}
	l.step("医保订单查询（6301）", func() (string, error) {
		p := c.Probe(ctx)
		if !p.Signed {
			return "", errors.New(p.Words)
		}
		return p.Words, nil
	})
	return l
}
