package gate

import (
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"hospay/hooks/kit"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/router"
	"github.com/pocketbase/pocketbase/tools/routine"
)

// The request log tells what was asked, not what it was asked with: addresses
// without the values of their parameters, and no more rows than a budget allows.
// What was left out is counted.
var (
	rowsOfGuests   = kit.Budget{Name: "rows_of_guests", Most: 60, Span: time.Minute} // all together
	rowsOfAccount  = kit.Budget{Name: "rows_of_account", Most: 60, Span: time.Minute}
	rowsOfAccounts = kit.Budget{Name: "rows_of_accounts", Most: 600, Span: time.Minute} // all together
)

const (
	maxMethod = 10
	maxPath   = 200
	maxAgent  = 100
	maxWords  = 200
)

// quiet is by what PocketBase marks an answer whose success is not logged.
const quiet = "__skipSuccessActivityLogger"

func (g *Gate) journal(e *core.RequestEvent) error {
	started := time.Now()
	err := e.Next()
	if e.App.Settings().Logs.MaxDays == 0 || err == nil && e.Get(quiet) != nil {
		return err
	}
	if !g.writes(e) {
		g.Tally.Count("request.not_logged", e.Request.Method+" "+address(e.Request))
		return err
	}
	level, attrs := row(e, err, time.Since(started))
	message, log := kit.Cut(e.Request.Method, maxMethod)+" "+address(e.Request), e.App.Logger()
	routine.FireAndForget(func() { log.Log(e.Request.Context(), level, message, attrs...) })
	return err
}

// writes reports whether there is room for another row.
func (g *Gate) writes(e *core.RequestEvent) bool {
	switch {
	case e.Auth == nil:
		return g.Budgets.Take(rowsOfGuests, "", g.Now())
	case e.Auth.IsSuperuser():
		return true
	}
	return g.Budgets.Take(rowsOfAccount, e.Auth.Id, g.Now()) && g.Budgets.Take(rowsOfAccounts, "", g.Now())
}

// row is what the dashboard's page of logs shows of a request.
func row(e *core.RequestEvent, err error, took time.Duration) (slog.Level, []any) {
	level, status, r := slog.LevelInfo, e.Status(), e.Request
	attrs := []any{
		slog.String("type", "request"), slog.Float64("execTime", float64(took)/float64(time.Millisecond)),
		slog.String("url", address(r)), slog.String("method", kit.Cut(r.Method, maxMethod)),
		slog.String("userAgent", kit.Cut(r.UserAgent(), maxAgent)),
	}
	if err != nil {
		level = slog.LevelError
		api, ok := errors.AsType[*router.ApiError](err)
		if ok && status == 0 {
			status = api.Status
		}
		attrs = append(attrs, slog.String("error", kit.Cut(err.Error(), maxWords)))
	}
	attrs = append(attrs, slog.Int("status", status))
	auth, settings := "", e.App.Settings().Logs
	if e.Auth != nil {
		auth = e.Auth.Collection().Name
		if settings.LogAuthId {
			attrs = append(attrs, slog.String("authId", e.Auth.Id))
		}
	}
	attrs = append(attrs, slog.String("auth", auth))
	if settings.LogIP {
		attrs = append(attrs, slog.String("userIP", e.RealIP()))
	}
	return level, attrs
}

// address is the path of a request with the names of its parameters. Their
// values may be names, numbers or tokens.
func address(r *http.Request) string {
	path := kit.Cut(strings.ToValidUTF8(r.URL.Path, ""), maxPath)
	if r.URL.RawQuery == "" {
		return path
	}
	return path + "?" + kit.Cut(strings.Join(slices.Sorted(maps.Keys(r.URL.Query())), "&"), maxPath)
}
