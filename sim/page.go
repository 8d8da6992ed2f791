package sim

import (
	"html/template"
	"net/http"
)

// Choice is a link on a Page.
type Choice struct{ Text, Href string }

// Radio is one of several answers in a Page's form.
type Radio struct {
	Name, Value, Text string
	Checked           bool
}

// Page is a plain Chinese page of a simulator: some lines, links and a form.
type Page struct {
	Title   string
	Lines   []string
	Choices []Choice
	Button  string            // posts Hidden and the chosen Radios to the same address
	Refuse  string            // a second button, which posts refuse=1 besides
	Hidden  map[string]string // form fields
	Radios  []Radio
}

var pageTemplate = template.Must(template.New("page").Parse(`<!doctype html><html lang="zh-CN"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1"><title>{{.Title}}</title>
<style>body{font:16px/1.7 sans-serif;max-width:36rem;margin:2rem auto;padding:0 1rem;color:#222}a{color:#0b6;display:block;padding:.4rem 0}
button{font-size:1.1rem;padding:.7rem 2.5rem;border:0;border-radius:.4rem;background:#07c160;color:#fff}
label{display:block;padding:.4rem 0}.no{background:#888;margin-left:1rem}small{color:#666}</style></head>
<body><h1>{{.Title}}</h1><p><small>模拟器页面，仅供演示和测试</small></p>
{{range .Lines}}<p>{{.}}</p>{{end}}{{range .Choices}}<a href="{{.Href}}">{{.Text}}</a>{{end}}
{{if .Button}}<form method="post">{{range $k, $v := .Hidden}}<input type="hidden" name="{{$k}}" value="{{$v}}">{{end}}
{{range .Radios}}<label><input type="radio" name="{{.Name}}" value="{{.Value}}"{{if .Checked}} checked{{end}}> {{.Text}}</label>{{end}}
<button>{{.Button}}</button>{{if .Refuse}}<button class="no" name="refuse" value="1">{{.Refuse}}</button>{{end}}</form>{{end}}
</body></html>`))

// Show writes the page.
func (p Page) Show(w http.ResponseWriter, status int) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	pageTemplate.Execute(w, p)
}
