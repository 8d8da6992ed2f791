package patient

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"hospay/calendar"
	"hospay/collections"
	"hospay/hooks/kit"
	"hospay/internal/i18n"
	"hospay/internal/idno"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
)

// An order's state may be asked for with a wrong ID number so often in so much
// time; then it is told to nobody until the time has passed. Four digits are
// soon guessed from many addresses at once.
const (
	missLimit = 5
	missSpan  = time.Hour
	missMost  = 10_000 // orders remembered at a time
)

// misses counts wrong answers by order number.
type misses struct {
	mu sync.Mutex
	at map[string][]time.Time
}

// begin counts an answer as wrong before it is judged, so that guesses at once
// do not pass beside the count, and refuses it where too many were. When too
// many orders are remembered, all that have aged are forgotten.
func (m *misses) begin(no string, now time.Time) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	aged := func(t time.Time) bool { return now.Sub(t) >= missSpan }
	if m.at == nil {
		m.at = map[string][]time.Time{}
	}
	if len(m.at) >= missMost {
		for k, ts := range m.at {
			if aged(ts[len(ts)-1]) {
				delete(m.at, k)
			}
		}
	}
	young := slices.DeleteFunc(m.at[no], aged)
	if len(young) >= missLimit {
		return false
	}
	m.at[no] = append(young, now)
	return true
}

// right takes an answer back that was.
func (m *misses) right(no string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if ts := m.at[no]; len(ts) > 1 {
		m.at[no] = ts[:len(ts)-1]
	} else {
		delete(m.at, no)
	}
}

func (h *Hooks) bindStatusRoutes(se *core.ServeEvent) {
	se.Router.POST("/api/hospay/status", h.publicStatus).Bind(apis.BodyLimit(1 << 10))
}

// publicStatus tells the state of an order to whoever knows its number and the
// last four characters of the person's ID number, and nothing beyond the
// state. An unknown order and a wrong ID number get the same answer.
func (h *Hooks) publicStatus(e *core.RequestEvent) error {
	var body struct {
		No   string `json:"no"`
		Tail string `json:"id_tail"`
	}
	if err := e.BindBody(&body); err != nil {
		return kit.Error(http.StatusBadRequest, "bad_request", "")
	}
	no, tail := strings.ToUpper(strings.TrimSpace(body.No)), strings.ToUpper(idno.Normalize(body.Tail))
	if len(no) > 32 || len(tail) != 4 {
		return kit.Error(http.StatusNotFound, "status_not_found", "")
	}
	if !h.misses.begin(no, h.Now()) {
		return kit.Error(http.StatusTooManyRequests, "too_many_tries", "")
	}
	rec, err := e.App.FindFirstRecordByData(collections.RefundOrders, "no", no)
	if err != nil || !h.endsLike(e.App, rec, tail) {
		return kit.Error(http.StatusNotFound, "status_not_found", "")
	}
	h.misses.right(no)
	status := rec.GetString("status")
	return e.JSON(http.StatusOK, statusView{
		No: no, Status: status, Text: i18n.Text(i18n.Default, "status."+status), Next: i18n.Text(i18n.Default, "next."+status),
		Updated: calendar.Clock(rec.GetDateTime("updated").Time()),
	})
}

// statusView is the state of an order and nothing beyond it.
type statusView struct {
	No      string `json:"no"`
	Status  string `json:"status"`
	Text    string `json:"text"`
	Next    string `json:"next"`
	Updated string `json:"updated"`
}

// endsLike compares the last four characters of the applicant's ID number,
// which its mask shows.
func (h *Hooks) endsLike(app core.App, order *core.Record, tail string) bool {
	patient, err := app.FindRecordById(collections.Patients, order.GetString("patient"))
	return err == nil && strings.HasSuffix(patient.GetString("id_no"), tail)
}
