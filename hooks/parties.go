package hooks

import (
	"context"
	"errors"

	"hospay/collections"
	"hospay/refund"

	"github.com/pocketbase/pocketbase/core"
)

// parties are the people of an order: the owner of the card, and whom a
// transfer pays. Without a proxy application all of them are the patient.
type parties struct {
	owner, payee *core.Record
	who          refund.ProxyPayee
	proxy        *refund.Proxy // the patient's own application, in whatever state
}

// parties finds the people of an order. An application that is not there, or
// somebody else's, counts as none; refund.Check then refuses.
func (h *Hooks) parties(ctx context.Context, patient *core.Record, proxy string) (parties, error) {
	self := parties{owner: patient, payee: patient, who: refund.PaySelf}
	if proxy == "" {
		return self, nil
	}
	p, err := h.Store.Proxy(ctx, proxy)
	if errors.Is(err, refund.ErrNotFound) || (err == nil && p.Agent != patient.Id) {
		return self, nil
	}
	if err != nil {
		return self, err
	}
	inst, err := h.Store.Institution(ctx, p.Institution)
	if err != nil {
		return self, err
	}
	principal, err := h.App.FindRecordById(collections.Patients, p.Principal)
	if err != nil {
		return self, err
	}
	out := parties{owner: principal, payee: patient, who: p.Case.Payee(inst.Proxy.Payee), proxy: &p}
	if out.who == refund.PayPrincipal {
		out.payee = principal
	}
	return out, nil
}

// standIn is parties for what only an approved, unexpired application opens:
// the principal's card.
func (h *Hooks) standIn(ctx context.Context, patient *core.Record, proxy, cardNo string) (parties, error) {
	ps, err := h.parties(ctx, patient, proxy)
	if err != nil || proxy == "" {
		return ps, err
	}
	if ps.proxy == nil || !ps.proxy.Usable(h.now()) || (cardNo != "" && cardNo != ps.proxy.CardNo) {
		return ps, refund.NewError(refund.CodeProxyNotApproved, "")
	}
	return ps, nil
}

// freshPrincipalCard returns the card of an application, asked from HIS unless
// what is known is young enough. A card that HIS now says is somebody else's
// is nobody's to refund.
func (h *Hooks) freshPrincipalCard(ctx context.Context, p refund.Proxy) (collections.KnownCard, error) {
	var known collections.KnownCard
	cards, err := h.Store.Cards(ctx, p.Principal)
	if err != nil {
		return known, err
	}
	for _, c := range cards {
		if c.No == p.CardNo {
			known = c
		}
	}
	if known.No != "" && h.now().Sub(known.AsOf) < cardsAge {
		return known, nil
	}
	his, _, err := h.Store.HIS(ctx, p.Institution)
	if err != nil {
		return known, err
	}
	ctx, cancel := context.WithTimeout(ctx, 2*loginHIS)
	defer cancel()
	card, err := his.Card(ctx, p.CardNo)
	if err != nil {
		return known, err
	}
	if card.Name == "" {
		card.Name = known.Name
	}
	name, err := h.Store.RealName(ctx, p.Principal)
	if err != nil {
		return known, err
	}
	if !refund.SameName(card.Name, name) {
		return known, refund.NewError(refund.CodePrincipalNotFound, "the card has changed hands")
	}
	if card.IssuedAt.IsZero() {
		card.IssuedAt = known.IssuedAt
	}
	known = collections.KnownCard{Card: card, AsOf: h.now()}
	return known, h.Store.KeepCard(ctx, p.Principal, card, known.AsOf)
}
