package it

import (
	"context"
	"net/http"

	"hospay/flow"
	"hospay/hooks/kit"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
)

// CodeSetupDone says that everything a hospital begins with is there.
const CodeSetupDone flow.Code = "setup_done"

// Setup is the first installation, led by questions.
type Setup interface {
	State(ctx context.Context) (SetupState, error)
	// Begin goes on where a setup stands, or begins with the first step that is
	// not done.
	Begin(ctx context.Context, superuser string) error
	Answer(ctx context.Context, key, text string) error
	// Leave ends what is under way; steps that are done stay done.
	Leave()
}

// SetupState is how far the first installation has come.
type SetupState struct {
	Open     bool           `json:"open"` // something that every hospital needs is missing
	UnderWay bool           `json:"under_way"`
	Steps    []SetupStep    `json:"steps"`
	Said     string         `json:"said"`
	Question *SetupQuestion `json:"question"` // null: the program works, or nothing is under way
}

// SetupStep is a part of the installation; Done says what is there already.
type SetupStep struct {
	Title string `json:"title"`
	Done  string `json:"done"`
}

// SetupQuestion is what is asked.
type SetupQuestion struct {
	Key      string   `json:"key"`
	Label    string   `json:"label"`
	Help     string   `json:"help"`
	Default  string   `json:"default"`
	Optional bool     `json:"optional"`
	File     bool     `json:"file"`  // the text of a file may be the answer
	Named    bool     `json:"named"` // a file, its name in the first line
	Secret   bool     `json:"secret"`
	Choices  []string `json:"choices"`
}

func (h *Hooks) bindSetupRoutes(se *core.ServeEvent) {
	h.Know(map[flow.Code]kit.Code{CodeSetupDone: kit.Conflict})
	se.Router.GET("/api/hospay/setup", h.setup).Bind(apis.RequireSuperuserAuth())
	se.Router.POST("/api/hospay/setup", h.setupGo).Bind(apis.RequireSuperuserAuth())
	se.Router.DELETE("/api/hospay/setup", h.setupLeave).Bind(apis.RequireSuperuserAuth())
}

// setup answers how far the installation has come.
func (h *Hooks) setup(e *core.RequestEvent) error {
	state, err := h.Setup.State(e.Request.Context())
	if err != nil {
		return h.Fail(e, err)
	}
	e.Response.Header().Set("Cache-Control", "no-store") // passwords that are shown once
	return e.JSON(http.StatusOK, state)
}

// setupGo begins, or takes the answer to what is asked.
func (h *Hooks) setupGo(e *core.RequestEvent) error {
	var in struct {
		Key    string `json:"key"`
		Answer string `json:"answer"`
	}
	if err := e.BindBody(&in); err != nil {
		return kit.BadRequest()
	}
	err := error(nil)
	if in.Key == "" {
		err = h.Setup.Begin(e.Request.Context(), e.Auth.Id)
	} else {
		err = h.Setup.Answer(e.Request.Context(), in.Key, in.Answer)
	}
	if err != nil {
		return h.Fail(e, err)
	}
	return h.setup(e)
}

func (h *Hooks) setupLeave(e *core.RequestEvent) error {
	h.Setup.Leave()
	return h.setup(e)
}
