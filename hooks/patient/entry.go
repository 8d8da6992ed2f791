package patient

import (
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"hospay/channels"
	"hospay/collections"
	"hospay/hooks/kit"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// stateForm is what a page may use as OAuth state: random text of its own,
// which it keeps in its session and compares when the person comes back.
var stateForm = regexp.MustCompile(`^[A-Za-z0-9_-]{16,128}$`)

func (h *Hooks) bindEntryRoutes(se *core.ServeEvent) {
	g := se.Router.Group("/api/hospay")
	g.GET("/auth/links", h.loginLinks)
	g.GET("/wechat/signature", h.signPage).BindFunc(kit.RequirePatient)
}

// linksView is the ways into the pages, one for each channel that has one.
type linksView struct {
	Links []linkView `json:"links"`
}

// linkView is the address of a channel's authorisation page.
type linkView struct {
	Channel string `json:"channel"`
	URL     string `json:"url"`
}

// signatureView is what a page needs to call WeChat's own functions.
type signatureView struct {
	AppID     string `json:"app_id"`
	Timestamp int64  `json:"timestamp"`
	Nonce     string `json:"nonce"`
	Signature string `json:"signature"`
}

// loginLinks gives the address of each channel's authorisation page (A19). The
// way back is the institution's own address and nothing that a caller names.
func (h *Hooks) loginLinks(e *core.RequestEvent) error {
	q := e.Request.URL.Query()
	if !stateForm.MatchString(q.Get("state")) {
		return kit.Error(http.StatusBadRequest, "bad_request", "")
	}
	inst, err := h.loginInstitution(e, q.Get("institution"))
	if err != nil {
		return h.Fail(e, err)
	}
	const on = "institution = {:i} && active = true"
	configs, err := e.App.FindRecordsByFilter(collections.ChannelConfigs, on, "-channel", 0, 0, dbx.Params{"i": inst})
	if err != nil {
		return h.Fail(e, err)
	}
	links := []linkView{}
	for _, c := range configs {
		home := publicAddress(c)
		conn, err := h.Store.Connection(e.Request.Context(), inst, c.GetString("channel"))
		if err != nil || home == "" {
			continue // not ready for logins; the portal's ticket is left
		}
		login, err := channels.As[channels.Login](conn)
		if err != nil {
			continue
		}
		links = append(links, linkView{Channel: c.GetString("channel"), URL: login.AuthorizeURL(home, q.Get("state"))})
	}
	return e.JSON(http.StatusOK, linksView{Links: links})
}

// publicAddress is where an institution's pages are reached from outside: the
// address at which the channel reaches the program.
func publicAddress(config *core.Record) string {
	base := strings.TrimRight(config.GetString("notify_base"), "/")
	if base == "" {
		return ""
	}
	return base + "/"
}

// signPage signs a page of ours for WeChat's JS-SDK, which opens the page on
// which the payee confirms (A31).
func (h *Hooks) signPage(e *core.RequestEvent) error {
	inst := e.Auth.GetString("institution")
	config, err := e.App.FindFirstRecordByFilter(collections.ChannelConfigs, `institution = {:i} && channel = "wechat"`, dbx.Params{"i": inst})
	if err != nil {
		return kit.Error(http.StatusBadRequest, "channel_off", "")
	}
	page := e.Request.URL.Query().Get("url")
	if !sameOrigin(page, publicAddress(config)) {
		return kit.Error(http.StatusBadRequest, "bad_request", "")
	}
	conn, err := h.Store.Connection(e.Request.Context(), inst, "wechat")
	if err != nil {
		return h.Fail(e, err)
	}
	signer, err := channels.As[channels.PageSigner](conn)
	if err != nil {
		return kit.Error(http.StatusBadRequest, "channel_off", "")
	}
	s, err := signer.SignPage(e.Request.Context(), page)
	if errors.Is(err, channels.ErrNotSupported) || errors.Is(err, channels.ErrUnavailable) {
		h.Log.Warn("wechat.signature", "error", err)
		return kit.Error(http.StatusServiceUnavailable, "channel_unavailable", "")
	}
	if err != nil {
		return h.Fail(e, err)
	}
	return e.JSON(http.StatusOK, signatureView{AppID: s.AppID, Timestamp: s.Timestamp, Nonce: s.Nonce, Signature: s.Signature})
}

func sameOrigin(page, home string) bool {
	a, err := url.Parse(page)
	b, err2 := url.Parse(home)
	return err == nil && err2 == nil && a.Host != "" && a.Scheme == b.Scheme && a.Host == b.Host
}
