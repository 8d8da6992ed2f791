package centre

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"

	"hospay/flow"
	"hospay/money"
	"hospay/payment"
)

// kept is what of a notice goes into the record: numbers and amounts.
type kept struct {
	PayOrdID  string    `json:"payOrdId"`
	MedOrgOrd string    `json:"medOrgOrd"`
	CallType  string    `json:"callType,omitempty"`
	SetlType  string    `json:"setlType,omitempty"`
	Proven    bool      `json:"proven"`
	Told      bool      `json:"told"`
	Total     money.Fen `json:"total"`
	Fund      money.Fen `json:"fund"`
	Account   money.Fen `json:"account"`
	Cash      money.Fen `json:"cash"`
}

// ParseCallback reads a 6302. A notice has no number of its own: what it says is
// its identity, and one that is not signed is the same whatever it says of
// amounts, so that nobody fills the record.
func (c *Client) ParseCallback(_ context.Context, _ http.Header, body []byte) (flow.Callback, error) {
	n, err := c.ReadNotice(body)
	if err != nil {
		return flow.Callback{}, err
	}
	id := []string{n.PayOrdID, n.MedOrgOrd, n.CallType}
	if n.Proven {
		id = append(id, n.SetlType, n.TraceTime, strconv.FormatBool(n.Told))
		for _, f := range []money.Fen{n.Total, n.Fund, n.Account, n.Cash} {
			id = append(id, strconv.FormatInt(int64(f), 10))
		}
	}
	text, err := json.Marshal(kept{n.PayOrdID, n.MedOrgOrd, n.CallType, n.SetlType, n.Proven, n.Told, n.Total, n.Fund, n.Account, n.Cash})
	if err != nil {
		return flow.Callback{}, err
	}
	return flow.Callback{ID: flow.Fingerprint(id), Kind: payment.CallbackSettlement, No: n.MedOrgOrd, Body: string(text),
		Told: payment.Noticed{PayOrdID: n.PayOrdID, Proven: n.Proven, Told: n.Told, Split: n.Split}}, nil
}

// Acknowledge answers a 6302 in the region's form. What is not read is refused, so
// that it is sent again; no public text says how the centre takes that.
func (c *Client) Acknowledge(w http.ResponseWriter, err error) {
	if err != nil {
		status := http.StatusInternalServerError
		if errors.Is(err, ErrNotice) {
			status = http.StatusUnauthorized
		}
		w.WriteHeader(status)
		return
	}
	reply, err := c.Acknowledgement()
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	if reply.Type != "" {
		w.Header().Set("Content-Type", reply.Type)
	}
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write(reply.Body)
}
