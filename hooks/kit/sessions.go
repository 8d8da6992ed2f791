package kit

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"hospay/collections"
	"hospay/flow"
	"hospay/store"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
	"github.com/pocketbase/pocketbase/tools/security"
)

// A token is a signature and cannot be taken back, so it names its session, a row
// that can be ended (sessionClaim). sessionKey is where a request keeps what is
// known of it, and a realtime client the session that it belongs to.
const (
	sessionClaim = "sid"
	sessionKey   = "hospay_session"
	logoutRoute  = "/api/hospay/auth/logout"
)

// sessioned are the accounts whose logins are sessions.
var sessioned = []string{collections.Patients, collections.Staff}

func (k *Kit) bindSessions(se *core.ServeEvent) {
	se.Router.Bind(&hook.Handler[*core.RequestEvent]{Id: "hospay_sessions", Priority: apis.DefaultRateLimitMiddlewarePriority + 5,
		Func: k.inSession})
	se.Router.POST(logoutRoute, k.logout)
	k.App.OnRecordAuthRequest(sessioned...).BindFunc(k.enter)
	k.App.OnFileTokenRequest(sessioned...).BindFunc(k.fileToken)
	k.App.OnRealtimeSubscribeRequest().BindFunc(k.subscribed)
	k.App.OnRealtimeMessageSend().BindFunc(k.heard)
}

// inSession turns away whose session is over, before anything else is asked. At
// a way in they are strangers, as everybody.
func (k *Kit) inSession(e *core.RequestEvent) error {
	k.dropFileToken(e)
	if e.Auth == nil || !slices.Contains(sessioned, e.Auth.Collection().Name) {
		return e.Next()
	}
	if _, at := KioskOf(e); at { // whose session was judged there
		return e.Next()
	}
	s, err := k.Store.UseSession(sessionOf(tokenOf(e)), e.Auth, !restless(e.Request.Method, e.Request.URL.Path), k.Now())
	switch code := flow.CodeOf(err); {
	case err == nil:
		e.Set(sessionKey, s)
	case code == "":
		return k.Fail(e, err)
	case wayIn(e.Request.URL.Path):
		e.Auth = nil
	default:
		return Error(http.StatusUnauthorized, string(code), "")
	}
	return e.Next()
}

// tokenOf is what a request shows, with or without the word that clients put before
// it.
func tokenOf(e *core.RequestEvent) string {
	token := e.Request.Header.Get("Authorization")
	if len(token) > 7 && strings.EqualFold(token[:7], "Bearer ") {
		return token[7:]
	}
	return token
}

// dropFileToken makes a stranger of whoever shows a file token of a session that
// is over.
func (k *Kit) dropFileToken(e *core.RequestEvent) {
	if !strings.HasPrefix(e.Request.URL.Path, "/api/files/") {
		return
	}
	q := e.Request.URL.Query()
	who, err := e.App.FindAuthRecordByToken(q.Get("token"), core.TokenTypeFile)
	if err != nil || !slices.Contains(sessioned, who.Collection().Name) {
		return
	}
	if _, err := k.Store.UseSession(sessionOf(q.Get("token")), who, false, k.Now()); err != nil {
		q.Del("token")
		e.Request.URL.RawQuery = q.Encode()
	}
}

// sessionOf reads which session a token names. The signature was judged by who
// found its account.
func sessionOf(token string) string {
	claims, err := security.ParseUnverifiedJWT(token)
	if err != nil {
		return ""
	}
	id, _ := claims[sessionClaim].(string)
	return id
}

// restless are requests that pages make by themselves; they keep no session
// alive.
func restless(method, path string) bool {
	return path == "/api/realtime" || strings.HasSuffix(path, "/auth-refresh") ||
		(method == http.MethodGet && (path == "/api/hospay/queue/counts" || path == "/api/hospay/staff/todo" ||
			strings.HasPrefix(path, "/api/hospay/exports")))
}

// wayIn are the routes at which one logs in, and what is told without a login.
func wayIn(path string) bool {
	return strings.Contains(path, "/auth-with-") || path == "/api/hospay/status" || path == "/api/health" ||
		(strings.HasPrefix(path, "/api/hospay/auth/") && path != logoutRoute)
}

// enter gives every login a session of its own. An answer that continues one, as
// a renewed token does, stays in it and lives no longer.
func (k *Kit) enter(e *core.RecordAuthRequestEvent) error {
	now := k.Now()
	s, going := e.Get(sessionKey).(store.Session)
	going = going && e.AuthMethod == "" && e.Auth != nil && e.Auth.Id == e.Record.Id
	var err error
	if !going {
		if s, err = k.Store.BeginSession(e.Record, now); err != nil {
			return err
		}
	}
	if e.Token, err = signed(e.Record, core.TokenTypeAuth, s, now); err != nil {
		return err
	}
	if err = e.Next(); err != nil && !going { // such as for a second step: nobody holds the token
		if e2 := k.Store.EndSession(s.ID, now); e2 != nil {
			k.Log.Warn("session.end", "error", e2)
		}
	}
	return err
}

// signed is a token of PocketBase's form that names its session and ends with it.
func signed(who *core.Record, kind string, s store.Session, now time.Time) (string, error) {
	c := who.Collection()
	config := c.AuthToken
	if kind == core.TokenTypeFile {
		config = c.FileToken
	}
	return security.NewJWT(map[string]any{
		core.TokenClaimType: kind, core.TokenClaimId: who.Id, core.TokenClaimCollectionId: c.Id,
		core.TokenClaimRefreshable: kind == core.TokenTypeAuth, sessionClaim: s.ID,
	}, who.TokenKey()+config.Secret, min(config.DurationTime(), s.Until.Sub(now)))
}

func (k *Kit) fileToken(e *core.FileTokenRequestEvent) error {
	s, ok := e.Get(sessionKey).(store.Session)
	if !ok {
		return Denied(e.RequestEvent)
	}
	var err error
	if e.Token, err = signed(e.Record, core.TokenTypeFile, s, k.Now()); err != nil {
		return err
	}
	return e.Next()
}

// logout ends the session that asks.
func (k *Kit) logout(e *core.RequestEvent) error {
	if err := k.EndSession(e); err != nil {
		return err
	}
	return e.NoContent(http.StatusNoContent)
}

// EndSession ends the session that asks.
func (k *Kit) EndSession(e *core.RequestEvent) error {
	s, ok := e.Get(sessionKey).(store.Session)
	if !ok {
		return Denied(e)
	}
	if err := k.Store.EndSession(s.ID, k.Now()); err != nil {
		return k.Fail(e, err)
	}
	return nil
}

// subscribed notes to which session a realtime client belongs.
func (k *Kit) subscribed(e *core.RealtimeSubscribeRequestEvent) error {
	if s, ok := e.Get(sessionKey).(store.Session); ok {
		e.Client.Set(sessionKey, s.ID)
	}
	return e.Next()
}

// heard ends a realtime connection whose session is over, instead of telling it
// more.
func (k *Kit) heard(e *core.RealtimeMessageEvent) error {
	id, _ := e.Client.Get(sessionKey).(string)
	who, _ := e.Client.Get(apis.RealtimeClientAuthKey).(*core.Record)
	if id == "" || who == nil {
		return e.Next()
	}
	if _, err := k.Store.UseSession(id, who, false, k.Now()); err != nil {
		return err
	}
	return e.Next()
}
