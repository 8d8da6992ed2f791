package books

import (
	"context"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/tools/types"

	"hospay/calendar"
	"hospay/collections"
	"hospay/money"
)

// DifferenceView is a difference as the console shows it.
type DifferenceView struct {
	ID         string              `json:"id"`
	Ledger     Ledger              `json:"ledger"`
	Day        string              `json:"day"`
	Kind       string              `json:"kind"`
	Also       []string            `json:"also"`
	Order      string              `json:"order"`
	OrderNo    string              `json:"order_no"`
	BillNo     string              `json:"out_bill_no"`
	HISNo      string              `json:"his_refund_no"`
	Channel    string              `json:"channel_name"`
	Method     string              `json:"method"`
	Platform   *Side               `json:"platform"`
	Bill       *Side               `json:"channel"`
	HIS        *Side               `json:"his"`
	Explain    string              `json:"explain"`
	Sign       string              `json:"sign"`
	Amount     money.Fen           `json:"amount"`
	State      string              `json:"state"`
	Verb       string              `json:"verb"`
	Owner      string              `json:"owner"`
	OwnerName  string              `json:"owner_name"`
	With       string              `json:"with"`
	Opened     string              `json:"opened"`
	Due        string              `json:"sla_due"`
	ResolvedAt string              `json:"resolved_at"`
	DaysOpen   int                 `json:"days_open"`
	Overdue    bool                `json:"overdue"`
	Proposal   *DifferenceProposal `json:"proposal"` // null: nobody proposes anything
}

// DifferenceProposal is what somebody proposes to do about a difference.
type DifferenceProposal struct {
	ID     string `json:"id"` // named by who confirms it
	Verb   string `json:"verb"`
	Reason string `json:"reason"`
	By     string `json:"by"`
	ByName string `json:"by_name"`
	At     string `json:"at"`
}

// View shows a difference; names tells who the people are.
func (s *Service) View(ctx context.Context, d Difference, names map[string]string) (DifferenceView, error) {
	side := func(amount int64, state string, at types.DateTime) *Side {
		if state == "" {
			return nil
		}
		return &Side{money.Fen(amount), state, calendar.Clock(at.Time())}
	}
	out := DifferenceView{
		ID: d.ID, Ledger: d.Ledger, Day: d.Day, Kind: d.Kind, Also: append([]string{}, d.Also...), Order: d.Order, OrderNo: d.OrderNo,
		BillNo:  d.BillNo,
		HISNo:   d.HISNo,
		Channel: d.Channel, Method: d.Method, Platform: side(d.PlatformAmount, d.PlatformState, d.PlatformAt),
		Bill: side(d.ChannelAmount, d.ChannelState, d.ChannelAt), HIS: side(d.HISAmount, d.HISState, d.HISAt), Explain: d.Explain, Sign: d.Sign,
		Amount: money.Fen(d.Amount), State: d.State, Verb: d.Verb, Owner: d.Owner, OwnerName: names[d.Owner], With: d.With,
		Opened: calendar.Clock(d.Opened.Time()), Due: calendar.Clock(d.Due.Time()), ResolvedAt: calendar.Clock(d.ResolvedAt.Time()),
	}
	end := d.end(s.now())
	out.DaysOpen, out.Overdue = d.daysOpen(end), end.After(d.Due.Time())
	if d.State == Proposed {
		p, err := proposalOf(s.App.ConcurrentDB(), d)
		if err != nil {
			return out, err
		}
		out.Proposal = &DifferenceProposal{ID: p.ID, Verb: p.Verb, Reason: p.Reason, By: p.By.ID, ByName: names[p.By.ID],
			At: calendar.Clock(p.At)}
	}
	return out, nil
}

// Resolution is an entry of a difference's history.
type Resolution struct {
	ID      string         `db:"id"`
	Act     string         `db:"act"`
	Verb    string         `db:"verb"`
	Reason  string         `db:"reason"`
	By      string         `db:"by"`
	Person  string         `db:"person"`
	With    string         `db:"with"`
	Before  types.JSONRaw  `db:"before"`
	After   types.JSONRaw  `db:"after"`
	Created types.DateTime `db:"created"`
}

// History lists what happened to a difference, the oldest first.
func (s *Service) History(ctx context.Context, id string) ([]Resolution, error) {
	out := []Resolution{}
	err := s.App.ConcurrentDB().Select("*").From(collections.Resolutions).Where(dbx.HashExp{"difference": id}).OrderBy("created", "rowid").
		WithContext(ctx).All(&out)
	return out, err
}
