package patient

import (
	"cmp"
	"net/http"
	"strings"
	"time"

	"hospay/calendar"
	"hospay/channels"
	"hospay/hooks/kit"
	"hospay/internal/idno"
	"hospay/people"
	"hospay/refund"

	"github.com/pocketbase/pocketbase/core"
)

// How often somebody may say who they are, and how often one person may be
// guessed at. Both hold in the demo, too.
var (
	ofEntries = kit.Budget{Name: "entries", Most: 6, Span: time.Hour}
	ofGuesses = kit.Budget{Name: "entry guesses", Most: 12, Span: 24 * time.Hour}
)

// registerView is what somebody gets whose account is nobody's yet, where patients
// come in by themselves: what to send with the name, the number and the card.
type registerView struct {
	Registration string       `json:"registration"`
	Until        string       `json:"until"`
	Papers       []idno.Paper `json:"papers"`
}

// mayRegister answers for an account that is nobody's.
func (h *Hooks) mayRegister(e *core.RequestEvent, inst string, account channels.Account) error {
	i, err := h.Store.Institution(e.Request.Context(), inst)
	if err != nil {
		return h.Fail(e, err)
	}
	if !i.SelfEntry {
		return kit.Error(http.StatusUnauthorized, "not_bound", "")
	}
	sealed, entry, err := h.Store.SealEntry(inst, account, h.Now())
	if err != nil {
		return h.Fail(e, err)
	}
	return e.JSON(http.StatusOK, registerView{Registration: sealed, Until: calendar.Clock(entry.Until), Papers: idno.Papers()})
}

// register lets a patient in whom no portal sends, by what HIS knows of them, and
// binds the account that they came with (A19).
func (h *Hooks) register(e *core.RequestEvent) error {
	var body struct {
		Registration string     `json:"registration"`
		Name         string     `json:"name"`
		Paper        idno.Paper `json:"id_type"`
		IDNo         string     `json:"id_no"`
		CardNo       string     `json:"card_no"`
	}
	if err := e.BindBody(&body); err != nil || body.Registration == "" {
		return kit.BadRequest()
	}
	now := h.Now()
	entry, err := h.Store.OpenEntry(body.Registration, now)
	if err != nil {
		return kit.Error(http.StatusUnauthorized, "registration_expired", "")
	}
	paper := cmp.Or(body.Paper, idno.Resident)
	claim := refund.Claim{Name: people.WrittenName(strings.TrimSpace(body.Name)), Paper: paper, IDNo: paper.Form(body.IDNo),
		CardNo: strings.TrimSpace(body.CardNo)}
	if !h.Budgets.Take(ofEntries, entry.Institution+" "+entry.Account.ID, now) ||
		!h.Budgets.Take(ofGuesses, entry.Institution+" "+h.Store.PersonIndex(claim.IDNo), now) {
		return kit.TooMany()
	}
	person, _, err := h.Intake.Enter(e.Request.Context(), entry.Institution, claim)
	if err != nil {
		return h.Fail(e, err)
	}
	rec, err := h.Store.Enter(entry, person, e.RealIP())
	if err != nil {
		return h.Fail(e, err)
	}
	return h.entered(e, rec, rec.GetString("via"))
}
