package patient

import (
	"net/http"
	"strconv"

	"hospay/calendar"
	"hospay/hooks/kit"
	"hospay/store"

	"github.com/pocketbase/pocketbase/core"
)

// messagesPage is how many notices are read at a time.
const messagesPage = 20

func (h *Hooks) bindMessageRoutes(se *core.ServeEvent) {
	g := se.Router.Group("/api/hospay")
	g.GET("/messages", h.messages).BindFunc(kit.RequirePatient)
	g.POST("/messages/read", h.readMessage).BindFunc(kit.RequirePatient)
	g.POST("/messages/{id}/read", h.readMessage).BindFunc(kit.RequirePatient)
	se.Router.GET(store.ShortPath+"{id}", h.openMessage)
}

// messagesView is what a patient was told, newest first.
type messagesView struct {
	Unread int           `json:"unread"`
	Items  []messageView `json:"items"`
}

// messageView is a notice with the page of the portal that it is about.
type messageView struct {
	ID    string `json:"id"`
	Event string `json:"event"`
	Title string `json:"title"`
	Body  string `json:"body"`
	Page  string `json:"page"`
	At    string `json:"at"`
	Read  bool   `json:"read"`
}

// messages lists the patient's notices.
func (h *Hooks) messages(e *core.RequestEvent) error {
	page, err := strconv.Atoi(e.Request.URL.Query().Get("page"))
	if err != nil || page < 1 || page > 1000 {
		page = 1
	}
	list, unread, err := h.Store.Messages(e.Request.Context(), e.Auth.Id, messagesPage, (page-1)*messagesPage)
	if err != nil {
		return h.Fail(e, err)
	}
	out := messagesView{Unread: unread, Items: make([]messageView, 0, len(list))}
	for _, m := range list {
		out.Items = append(out.Items, messageView{ID: m.ID, Event: m.Event, Title: m.Title, Body: m.Body, Page: m.Page,
			At: calendar.Clock(m.At.Time()), Read: !m.Read.IsZero()})
	}
	return e.JSON(http.StatusOK, out)
}

// unreadView says how many notices were not opened yet.
type unreadView struct {
	Unread int `json:"unread"`
}

// readMessage marks one notice, or all of them, as read.
func (h *Hooks) readMessage(e *core.RequestEvent) error {
	ctx := e.Request.Context()
	if err := h.Store.MarkRead(ctx, e.Auth.Id, e.Request.PathValue("id")); err != nil {
		return h.Fail(e, err)
	}
	_, unread, err := h.Store.Messages(ctx, e.Auth.Id, 0, 0)
	if err != nil {
		return h.Fail(e, err)
	}
	return e.JSON(http.StatusOK, unreadView{Unread: unread})
}

// openMessage leads from the short address of a short message to its page,
// which shows nothing before its reader is known.
func (h *Hooks) openMessage(e *core.RequestEvent) error {
	page, err := h.Store.PageOfNotice(e.Request.Context(), e.Request.PathValue("id"))
	if err != nil {
		page = "/"
	}
	e.Response.Header().Set("Cache-Control", "no-store")
	e.Response.Header().Set("Referrer-Policy", "no-referrer")
	return e.Redirect(http.StatusFound, page)
}
