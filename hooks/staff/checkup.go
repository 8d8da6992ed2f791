package staff

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"time"

	"hospay/calendar"
	"hospay/collections"
	"hospay/hooks/kit"
	"hospay/internal/checkup"
	"hospay/people"
	"hospay/store"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
)

// checkupTime bounds the test of a connection.
const checkupTime = 30 * time.Second

func (h *Hooks) bindCheckupRoutes(se *core.ServeEvent) {
	g := se.Router.Group("/api/hospay/config").Bind(apis.BodyLimit(8 << 10))
	g.POST("/test", h.testConnection).BindFunc(kit.RequireStaff(people.RoleConfig, people.RoleFinance))
	g.GET("/certificates", h.certificates).BindFunc(kit.RequireStaff(people.RoleConfig, people.RoleFinance, people.RoleAuditor))
}

// testRequest names what is to be tested; Change is a waiting proposal whose
// values are used. Patient, IDNo and Name are a test patient's, for HIS.
type testRequest struct {
	Channel string `json:"channel"`
	HIS     bool   `json:"his"`
	Centre  bool   `json:"centre"`
	Change  string `json:"change"`
	checkup.Patient
}

// testConnection asks the other side questions that move nothing.
func (h *Hooks) testConnection(e *core.RequestEvent) error {
	var r testRequest
	if err := e.BindBody(&r); err != nil {
		return kit.BadRequest()
	}
	what, ok := r.what()
	if !ok {
		return kit.BadRequest()
	}
	err := e.App.RunInTransaction(func(tx core.App) error {
		return store.Audit(tx, store.AuditEntry{
			ActorKind: "staff", Actor: e.Auth.Id, Action: "config.test", Target: what, Address: e.RealIP(),
			Details: map[string]any{"change": r.Change},
		})
	})
	if err != nil {
		return h.Fail(e, err)
	}
	ctx, cancel := context.WithTimeout(e.Request.Context(), checkupTime)
	defer cancel()
	switch {
	case r.HIS:
		return h.testHIS(ctx, e, r)
	case r.Centre:
		return h.testCentre(ctx, e, r)
	}
	return h.testChannel(ctx, e, r)
}

// what is the one thing that is to be tested.
func (r testRequest) what() (what string, ok bool) {
	for name, asked := range map[string]bool{r.Channel: r.Channel != "", "his": r.HIS, "centre": r.Centre} {
		if asked && what != "" {
			return "", false
		}
		if asked {
			what = name
		}
	}
	return what, what != ""
}

// centreTest is the outcome of asking the insurance centre.
type centreTest struct {
	Centre bool           `json:"centre"`
	OK     bool           `json:"ok"`
	Steps  []checkup.Step `json:"steps"`
}

// testCentre asks the insurance centre for an order that cannot exist.
func (h *Hooks) testCentre(ctx context.Context, e *core.RequestEvent, r testRequest) error {
	c, err := h.Settings.Centre(ctx, e.Auth, r.Change)
	if err != nil {
		return h.settingsFail(e, err)
	}
	l := checkup.Centre(ctx, c)
	return e.JSON(http.StatusOK, centreTest{Centre: true, OK: l.Failed() == 0, Steps: l.Steps})
}

func (h *Hooks) testChannel(ctx context.Context, e *core.RequestEvent, r testRequest) error {
	conn, err := h.Settings.Channel(ctx, e.Auth.GetString("institution"), r.Channel, r.Change)
	if err != nil {
		return h.settingsFail(e, err)
	}
	l := checkup.Channel(ctx, conn)
	return e.JSON(http.StatusOK, channelTest{
		Channel: r.Channel, MerchantID: h.merchant(e, r.Channel), OK: l.Failed() == 0, Steps: l.Steps,
		Certificates: checkup.Certificates(r.Channel, conn, h.Now()),
	})
}

// channelTest is the outcome of asking a channel.
type channelTest struct {
	Channel      string                `json:"channel"`
	MerchantID   string                `json:"merchant_id"`
	OK           bool                  `json:"ok"`
	Steps        []checkup.Step        `json:"steps"`
	Certificates []checkup.Certificate `json:"certificates"`
}

// hisTest is the outcome of asking a HIS.
type hisTest struct {
	HIS    bool           `json:"his"`
	OK     bool           `json:"ok"`
	Steps  []checkup.Step `json:"steps"`
	Traits traitsView     `json:"traits"`
}

// traitsView is what a HIS can do.
type traitsView struct {
	Queryable  bool `json:"queryable"`
	Idempotent bool `json:"idempotent"`
	Reversible bool `json:"reversible"`
}

// certificatesView is what the channels work with.
type certificatesView struct {
	Certificates []checkup.Certificate `json:"certificates"`
}

// merchant is the merchant number that is in force.
func (h *Hooks) merchant(e *core.RequestEvent, channel string) string {
	rec, err := e.App.FindFirstRecordByFilter(collections.ChannelConfigs, "institution = {:i} && channel = {:c}",
		dbx.Params{"i": e.Auth.GetString("institution"), "c": channel})
	if err != nil {
		return ""
	}
	return rec.GetString("merchant_id")
}

// testHIS runs the steps of `his probe` that only read: those about a patient
// when one is given.
func (h *Hooks) testHIS(ctx context.Context, e *core.RequestEvent, r testRequest) error {
	his, traits, err := h.Settings.HIS(ctx, e.Auth, r.Change)
	if err != nil {
		return h.settingsFail(e, err)
	}
	l := &checkup.List{}
	l.Reach(ctx, his, traits)
	if r.Patient != (checkup.Patient{}) {
		l.Read(ctx, his, r.Patient)
	}
	l.Statement(ctx, his, calendar.Day(h.Now()))
	return e.JSON(http.StatusOK, hisTest{
		HIS: true, OK: l.Failed() == 0, Steps: l.Steps,
		Traits: traitsView{Queryable: traits.Queryable, Idempotent: traits.Idempotent, Reversible: traits.Reversible},
	})
}

// certificates lists what each channel works with, the soonest to expire first.
func (h *Hooks) certificates(e *core.RequestEvent) error {
	conns, err := h.Settings.Connections(e.Request.Context(), e.Auth.GetString("institution"))
	if err != nil {
		return h.Fail(e, err)
	}
	out := []checkup.Certificate{}
	for _, name := range slices.Sorted(maps.Keys(conns)) {
		out = append(out, checkup.Certificates(name, conns[name], h.Now())...)
	}
	slices.SortStableFunc(out, func(a, b checkup.Certificate) int { return rank(a) - rank(b) })
	return e.JSON(http.StatusOK, certificatesView{Certificates: out})
}

func rank(c checkup.Certificate) int {
	if c.Days == nil {
		return 1 << 20
	}
	return *c.Days
}
