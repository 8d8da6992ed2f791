package refund

import (
	"regexp"
	"time"

	"hospay/flow"
	"hospay/money"
	"hospay/people"
)

// Application is a patient's wish, as sent.
type Application struct {
	CardNo        string
	DepositNo     string
	Amount        money.Fen
	Method        Method
	Channel       string
	Payee         Payee
	NotifyPhone   string
	NoticeVersion string
	Proxy         string
}

// Situation is everything that the checks of an application need to know.
type Situation struct {
	Institution Institution
	Card        *Card // as HIS told it last; nil: not this patient's
	ChannelOn   bool
	Channel     Capabilities
	OrdersToday int
	OtherActive bool // the card has an active order outside this group
	Now         time.Time
	// Proxy is the agent's own application that Application.Proxy names; nil
	// without one. PayeeName is the real name of whoever a transfer then pays.
	Proxy     *Proxy
	PayeeName string
}

// Check applies the rules of an application (A21) in the order in which a
// person would mend them, and returns the first refusal.
func Check(a Application, s Situation) error {
	for _, check := range []func(Application, Situation) error{
		checkInstitution, checkCard, checkRoute, checkAmount, checkPayee, checkOriginal, checkLoad,
	} {
		if err := check(a, s); err != nil {
			return err
		}
	}
	return nil
}

func checkInstitution(a Application, s Situation) error {
	switch {
	case s.Institution.Restored:
		return flow.NewError(CodeRestoredCopy, "")
	case !s.Institution.Active:
		return flow.NewError(flow.CodeInstitutionOff, "")
	case s.Institution.NoticeNo != "" && a.NoticeVersion != s.Institution.NoticeNo:
		return flow.NewError(CodeNoticeOutdated, "in force: "+s.Institution.NoticeNo)
	case a.Proxy != "" && (s.Proxy == nil || s.Proxy.ID != a.Proxy || s.Proxy.CardNo != a.CardNo || !s.Proxy.Usable(s.Now)):
		return flow.NewError(CodeProxyNotApproved, "")
	case a.Proxy != "" && !s.Institution.Proxy.On:
		return flow.NewError(CodeProxyOff, "")
	}
	return nil
}

func checkCard(_ Application, s Situation) error {
	if s.Card == nil {
		return flow.NewError(flow.CodeCardNotYours, "")
	}
	return nil
}

func checkRoute(a Application, s Situation) error {
	if !a.Method.Valid() || !containsMethod(s.Institution.Methods, a.Method) {
		return flow.NewError(CodeMethodOff, string(a.Method))
	}
	if !s.ChannelOn || !containsMethod(s.Channel.Methods, a.Method) {
		return flow.NewError(flow.CodeChannelOff, a.Channel)
	}
	return nil
}

func checkAmount(a Application, s Situation) error {
	floor := s.Institution.MinAmount
	if a.Method == MethodTransfer {
		floor = max(floor, s.Channel.MinAmount)
	}
	switch {
	case a.Amount <= 0 || a.Amount > money.Max:
		return flow.NewError(flow.CodeAmountInvalid, "")
	case a.Amount > s.Card.Refundable:
		return flow.NewError(CodeOverBalance, "")
	case a.Amount < floor:
		return flow.NewError(CodeBelowMinimum, floor.String())
	case a.Method == MethodTransfer && s.Channel.SingleLimit > 0 && a.Amount > s.Channel.SingleLimit:
		return flow.NewError(CodeOverSingleLimit, s.Channel.SingleLimit.String())
	}
	return nil
}

// NameHolder fills in the name that a proxy does not type: what goes back by
// original route goes to the card's holder, whoever applies.
func NameHolder(a *Application, s Situation) {
	if a.Proxy != "" && a.Method == MethodOriginal && a.Payee.Name == "" && s.Card != nil {
		a.Payee.Name = s.Card.Name
	}
}

// NamePayee gives the payee of an application that has passed Check the name
// that the hospital knows, as channels write names.
func NamePayee(a *Application, s Situation) { a.Payee.Name = people.WrittenName(s.payeeName(*a)) }

func checkPayee(a Application, s Situation) error {
	if !people.SameName(a.Payee.Name, s.payeeName(a)) {
		return flow.NewError(CodeNameMismatch, "")
	}
	if _, ok := people.Phone(a.NotifyPhone); a.NotifyPhone != "" && !ok {
		return flow.NewError(flow.CodePhoneInvalid, "")
	}
	if a.Method != MethodTransfer {
		return nil
	}
	if a.Payee.Account == "" {
		if a.Channel == "wechat" {
			return flow.NewError(flow.CodeChannelNotBound, a.Channel)
		}
		return flow.NewError(flow.CodeAccountRequired, "")
	}
	if form := accountForms[a.Payee.Type]; form != nil && !form.MatchString(a.Payee.Account) {
		return flow.NewError(CodeAccountInvalid, "")
	}
	return nil
}

// accountForms are the accounts at Alipay that people type: what they log in
// with, a mobile number or an e-mail address of at most 100 characters, or the
// number that Alipay gives them.
var accountForms = map[AccountType]*regexp.Regexp{
	AccountAlipayLogonID: regexp.MustCompile(`^(1[0-9]{10}|[0-9A-Za-z._%+-]{1,60}@[0-9A-Za-z-]{1,20}(\.[0-9A-Za-z-]{2,10}){1,2})$`),
	AccountAlipayUserID:  regexp.MustCompile(`^2088[0-9]{12}$`),
}

// payeeName is the name that the payee must have: the card's, and for a
// transfer by proxy that of whoever the institution pays.
func (s Situation) payeeName(a Application) string {
	if a.Proxy != "" && a.Method == MethodTransfer {
		return s.PayeeName
	}
	return s.Card.Name
}

func checkOriginal(a Application, s Situation) error {
	if a.Method != MethodOriginal {
		return nil
	}
	_, err := ChooseDeposit(*s.Card, a, s.Channel.OriginalWindow, s.Now)
	return err
}

func checkLoad(_ Application, s Situation) error {
	if s.OtherActive {
		return flow.NewError(flow.CodeActiveOrderExists, "")
	}
	if s.Institution.DayLimit > 0 && s.OrdersToday >= s.Institution.DayLimit {
		return flow.NewError(CodeTooManyToday, "")
	}
	return nil
}

// ChooseDeposit picks the deposit that an original-route refund returns: the
// one asked for, or the oldest that was paid through the channel, is young
// enough and holds the amount.
func ChooseDeposit(c Card, a Application, window time.Duration, now time.Time) (Deposit, error) {
	var best *Deposit
	code := CodeNoOriginalPayment
	for i, d := range c.Deposits {
		if d.Channel != a.Channel || (a.DepositNo != "" && d.No != a.DepositNo) || (d.Payment.TradeNo == "" && d.Payment.ChannelNo == "") {
			continue
		}
		switch {
		case window > 0 && now.Sub(d.Payment.PaidAt) >= window:
			if code == CodeNoOriginalPayment {
				code = CodeDepositTooOld
			}
		case d.Refundable < a.Amount:
			code = CodeOverBalance
		case best == nil || d.Payment.PaidAt.Before(best.Payment.PaidAt):
			best = &c.Deposits[i]
		}
	}
	if best == nil {
		return Deposit{}, flow.NewError(code, "")
	}
	return *best, nil
}

func containsMethod(ms []Method, m Method) bool {
	for _, x := range ms {
		if x == m {
			return true
		}
	}
	return false
}
