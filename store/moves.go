package store

import (
	"context"
	"slices"
	"strings"

	"hospay/collections"
	"hospay/internal/voucher"
)

// Moves tells what moved on the days of a period, by day, kind and channel: refunds
// by the day on which the money arrived, payments and what went back of them by that
// of HIS. of is refunds, payments, or empty for both.
func (s *Store) Moves(ctx context.Context, institution, from, to, of string) ([]voucher.Move, error) {
	var out []voucher.Move
	if of != "payments" {
		moves, err := s.refundMoves(ctx, institution, from, to)
		if err != nil {
			return nil, err
		}
		out = append(out, moves...)
	}
	if of != "refunds" {
		q := PaymentStatisticsQuery{Institution: institution, From: from, To: to, By: []string{"day", "channel"}}
		rows, _, err := s.Payments().Statistics(ctx, q)
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			p, b := r.Paid, r.Back
			out = append(out,
				voucher.Move{Day: r.Day, Kind: voucher.Payment, Channel: r.Channel, Count: p.Count, Cash: p.Cash, Insured: p.Fund + p.Account,
					Other: p.Other},
				voucher.Move{Day: r.Day, Kind: voucher.Payback, Channel: r.Channel, Count: b.Count, Cash: b.Cash, Insured: b.Fund + b.Account})
		}
	}
	kinds := []voucher.Kind{voucher.Refund, voucher.Payment, voucher.Payback}
	slices.SortStableFunc(out, func(a, b voucher.Move) int {
		if c := strings.Compare(a.Day, b.Day); c != 0 {
			return c
		}
		return slices.Index(kinds, a.Kind) - slices.Index(kinds, b.Kind)
	})
	return out, nil
}

func (s *Store) refundMoves(ctx context.Context, institution, from, to string) (out []voucher.Move, err error) {
	for _, channel := range []string{voucher.WeChat, voucher.Alipay} {
		days, err := s.PaidDays(ctx, OrderFilter{Institution: institution, By: ByPaid, From: from, To: to, Channel: channel,
			Standing: collections.StandingRefunded})
		if err != nil {
			return nil, err
		}
		for _, d := range days {
			out = append(out, voucher.Move{Day: d.Day, Kind: voucher.Refund, Channel: channel, Count: d.Count, Cash: d.Amount})
		}
	}
	return out, nil
}
